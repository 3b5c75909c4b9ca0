"""The typed sections of a report or an examination: what is shown, in which order, apart from how it is drawn.

A leaf: plain frozen data over `engine.core.text`. Numbers that are read arrive formatted; numbers that are drawn (lengths, positions)
arrive as floats. Knows nothing of tasks, HTML or Markdown: engine/report/html.py and engine/report/markdown.py render every
block, so that a new section costs one function that returns a `Section`.

A `pick` is an opaque id of a group of test rows. The page turns whatever carries one into a button and shows the rows that the
task finds behind it (`TaskSpec.picked_rows`); a file shows the same without the button.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine.core.text import Text

Words = Text | str  # a sentence of ours in both languages, or a person's own text, which is the same in both
Unit = Literal["percent", "number", "count"]  # how the numbers of an axis are written: 80%, 0.8, 1,200


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line with a role.

    `kind` is one of "" (plain), "strong", "quiet", "right", "wrong", "gold", "predicted", "both", "gap" (left out), "doubt", "entity",
    "copied", "new" and "strange". An entity has a `label` and the index of its `color`.
    """

    text: Words
    kind: str = ""
    label: str = ""
    color: int | None = None
    title: Words = ""
    pick: str = ""


Line = Words | Span | tuple[Words | Span, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval: `value`, `low` and `high` are drawn, `shown` and `interval` are read."""

    value: float
    low: float
    high: float
    shown: str
    interval: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The conclusion in a sentence, and the headline metric with its interval on a line from 0 to 1."""

    level: str
    label: Words
    sentence: Words
    metric: Words
    estimate: Estimate
    note: Words = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: Line
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Remarks:
    """Short texts, each under a title of its own."""

    items: tuple[tuple[Words, Line], ...]


@dataclass(frozen=True, slots=True)
class Definitions:
    """Names and their values or meanings, as a table of two columns without a head."""

    items: tuple[tuple[Words, Line], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    message: Words
    severity: str = "info"


@dataclass(frozen=True, slots=True)
class Notices:
    items: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A share (0 to 1) of the full width. `tone` is "accent", "quiet" or "bad"."""

    label: Line
    share: float
    shown: Words
    note: Words = ""
    tone: str = "quiet"
    pick: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    bars: tuple[Bar, ...]
    columns: tuple[Words, Words] = ("", "")  # what label and value are, for tables of text


@dataclass(frozen=True, slots=True)
class Whisker:
    label: Words
    estimate: Estimate
    note: Words = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Whiskers:
    """Values with their intervals on a common axis. `mark` is a value to compare with, drawn through all rows."""

    rows: tuple[Whisker, ...]
    metric: Words
    unit: Unit = "number"
    title: Words = ""
    mark: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `kind`: "text", "label" (a name that may be broken), "number", "estimate" (number with its interval below it),
    "meter" (an `Estimate` as a whisker beside its number, over `span`, with `mark` as a line). A `minor` column is left out where there is no room.
    """

    title: Words
    kind: Literal["text", "label", "number", "estimate", "meter"] = "text"
    minor: bool = False
    span: tuple[float, float] = (0.0, 1.0)
    mark: float | None = None


Cell = Line | Estimate | None


@dataclass(frozen=True, slots=True)
class Table:
    """The `first` rows are shown, the others wait behind `rest` (all are shown where `first` is None)."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    first: int | None = None
    rest: Words = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts by true label (rows) and answer (columns); the diagonal is right. `cell` describes a cell: {count}, {row}, {column}.

    `names` are the ids of the labels: the pick of a cell is "row,column" of them.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    corner: Words
    cell: Text
    names: tuple[str, ...]
    pickable: bool = True


@dataclass(frozen=True, slots=True)
class Series:
    """A curve: points (x, y), the name at its end, and the kind that colours it ("train", "validation", "metric", "metric-2").

    `dots` marks each point, `ringed` (indices) some of them; `faint` is drawn behind, without a name. `notes` are the tooltips of the points.
    """

    name: Words
    points: tuple[tuple[float, float], ...]
    kind: str = "metric"
    dots: bool = False
    faint: bool = False
    ringed: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Axis:
    """`span` is found from the points where it is not given; `ticks` are round numbers within it unless given."""

    title: Words = ""
    unit: Unit = "number"
    span: tuple[float, float] | None = None
    ticks: tuple[float, ...] | None = None
    logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """A line chart. `diagonal` draws y = x; `hints` name the sides above and below it. `empty` is shown where there is no point."""

    title: Words
    series: tuple[Series, ...]
    x: Axis = Axis()
    y: Axis = Axis()
    diagonal: bool = False
    hints: tuple[Words, Words] | None = None
    empty: Words = ""


@dataclass(frozen=True, slots=True)
class RecordText:
    """A text of a record. `label` says whose it is; a `folded` text waits behind its first words."""

    text: Line
    label: Words = ""
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One test row: a heading (a question), its texts (the text itself, or gold and predicted one above the other), and facts."""

    texts: tuple[RecordText, ...]
    facts: tuple[Line, ...] = ()
    heading: Words = ""


@dataclass(frozen=True, slots=True)
class Records:
    """Test rows to read. `legend` explains the marks in them; the records beyond `first` wait behind `rest`."""

    records: tuple[Record, ...]
    legend: tuple[Span, ...] = ()
    first: int | None = None
    rest: Words = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A group of test rows by its size and name. `examples` are those that the report itself holds: a file shows them."""

    label: Words
    count: int
    pick: str
    note: Words = ""
    tone: str = "plain"  # or "warn"
    examples: Records | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    summary: Words
    blocks: tuple[Block, ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """Blocks side by side where there is room for it."""

    blocks: tuple[Block, ...]


Block = (
    Verdict
    | Paragraph
    | Remarks
    | Definitions
    | Notices
    | Bars
    | Whiskers
    | Table
    | Matrix
    | Lines
    | Records
    | Choices
    | Fold
    | Beside
)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report. `id` is the same in every language and medium; only the verdict has no title."""

    id: str
    title: Line
    blocks: tuple[Block, ...]
    lead: Line = ""


def picks_in(section: Section) -> bool:
    """Whether something in the section leads to test rows."""
    return any(_picks(block) for block in _blocks(section.blocks))


def _blocks(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for block in blocks:
        yield block
        if isinstance(block, Fold | Beside):
            yield from _blocks(block.blocks)


def _picks(block: Block) -> bool:
    if isinstance(block, Matrix):
        return block.pickable
    if isinstance(block, Choices):
        return True
    if isinstance(block, Bars):
        return any(bar.pick for bar in block.bars)
    if isinstance(block, Table):
        return any(isinstance(cell, Span) and cell.pick for row in block.rows for cell in row)
    return False


def axis_span(low: float, high: float) -> tuple[float, float]:
    """The tenths between 0 and 1 that hold everything drawn, with a little air."""
    first, last = math.floor((low - 0.02) * 10) / 10, math.ceil((high + 0.01) * 10) / 10
    return max(0.0, first), min(1.0, max(last, first + 0.2))


def clipped(text: str, most: int) -> str:
    """A text of at most `most` characters; an ellipsis stands for the rest."""
    return text if len(text) <= most else text[:most].rstrip() + " …"
