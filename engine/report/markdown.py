"""The typed sections of a report as GitHub-flavoured Markdown, and plain text made safe to stand in it.

Knows CommonMark, GitHub's additions and blocks (engine/sections.py). Does not know which sections a report has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from engine.core.text import Text
from engine.evaluation.metric_format import count
from engine.report.charts import tick_text, value_text
from engine.sections import (
    Bars,
    Beside,
    Block,
    Cell,
    Choices,
    Definitions,
    Estimate,
    Fold,
    Line,
    Lines,
    Matrix,
    Notices,
    Paragraph,
    Record,
    Records,
    Remarks,
    Section,
    Span,
    Table,
    Verdict,
    Whiskers,
    Words,
)

MOST_RECORDS = 20  # of a list of test rows
MOST_POINTS = 16  # of a curve, as rows of a table
MOST_LABELS = 25  # of a matrix; a wider table cannot be read as text

# Characters that start something in the middle of a line. An underscore inside a word starts nothing, and stays readable.
_SPECIAL = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")
_MARKS = {"strong": "**", "gold": "**", "both": "**", "right": "**", "wrong": "**", "predicted": "_"}


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def escape_markdown(value: Any) -> Any:
    """Escape what Markdown or HTML would read as markup, and put everything on one line."""
    if isinstance(value, Markdown) or not isinstance(value, str):
        return value
    line = " ".join(value.split())
    return _SPECIAL.sub(r"\\\g<0>", line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def sections_markdown(sections: Iterable[Section], language: str) -> str:
    """The sections in one language, a heading each but for the verdict."""
    return "\n\n".join(part for section in sections for part in _section(section, language)) + "\n"


def _section(section: Section, language: str) -> list[str]:
    parts = [f"## {_line(section.title, language)}"] if section.title else []
    if section.lead:
        parts.append(_line(section.lead, language))
    return parts + _blocks(section.blocks, language)


def _blocks(blocks: Sequence[Block], language: str) -> list[str]:
    return [part for block in blocks for part in _RENDERERS[type(block)](block, language) if part]


def _say(words: Words, language: str) -> str:
    return escape_markdown(words if isinstance(words, str) else words.in_language(language))


def _span(part: Words | Span, language: str) -> str:
    if not isinstance(part, Span):
        return _edged(part, language)
    if part.kind == "gap":
        return " … "
    text = _edged(part.text, language)
    if part.kind == "entity":
        return rf"\[{text.strip()} \| {escape_markdown(part.label)}\]"
    mark = _MARKS.get(part.kind, "")
    # Emphasis begins and ends at a letter: blanks stand outside, and beside it where no other character parts it from a word.
    inner = text.strip()
    return f" {mark}{inner}{mark} " if mark and inner else text


def _edged(words: Words, language: str) -> str:
    """`_say` with a blank kept where the piece of a line begins or ends with one."""
    plain = words if isinstance(words, str) else words.in_language(language)
    inner = escape_markdown(plain)
    return (" " if plain[:1].isspace() else "") + inner + (" " if plain[-1:].isspace() and inner else "")


def _line(line: Line, language: str) -> str:
    parts = line if isinstance(line, tuple) else (line,)
    return " ".join("".join(_span(part, language) for part in parts).split())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], numeric: Iterable[int] = ()) -> str:
    right = set(numeric)
    rule = "".join("---:|" if index in right else "---|" for index in range(len(head)))
    body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(head) + " |", "|" + rule, *body])


def _estimate(estimate: Estimate) -> str:
    return f"{estimate.shown} ({estimate.interval})" if estimate.interval else estimate.shown


def _verdict(b: Verdict, language: str) -> list[str]:
    number = f"{_say(b.metric, language)}: **{b.estimate.shown}**"
    return [
        f"**{_say(b.label, language)}**",
        _say(b.sentence, language),
        f"{number} ({_say(b.note, language)})" if b.note else number,
    ]


def _paragraph(b: Paragraph, language: str) -> list[str]:
    return [_line(b.text, language)]


def _remarks(b: Remarks, language: str) -> list[str]:
    colon = Text(": ", "：").in_language(language)
    return ["\n".join(f"- **{_say(title, language)}**{colon}{_line(text, language)}" for title, text in b.items)]


def _definitions(b: Definitions, language: str) -> list[str]:
    return [_table(("", ""), [(_say(name, language), _line(text, language)) for name, text in b.items])]


def _notices(b: Notices, language: str) -> list[str]:
    return ["\n".join(f"- {_say(notice.message, language)}" for notice in b.items)]


def _bars(b: Bars, language: str) -> list[str]:
    rows = [(_line(bar.label, language), _say(bar.shown, language)) for bar in b.bars]
    return [_table([_say(words, language) for words in b.columns], rows, (1,))]


def _whiskers(b: Whiskers, language: str) -> list[str]:
    noted = any(row.note for row in b.rows)
    head = ["", _say(b.metric, language), Text("Interval", "置信区间").in_language(language), *([""] if noted else [])]
    rows = [
        (_say(row.label, language), row.estimate.shown, row.estimate.interval)
        + ((_say(row.note, language),) if noted else ())
        for row in b.rows
    ]
    title = [f"**{_say(b.title, language)}**"] if b.title else []
    return [*title, _table(head, rows, (1, 2, 3))]


def _cell(cell: Cell, language: str) -> str:
    if cell is None:
        return "–"
    return _estimate(cell) if isinstance(cell, Estimate) else _line(cell, language)


def _data_table(b: Table, language: str) -> list[str]:
    if not b.rows:
        return []
    rows = [[_cell(cell, language) for cell in row] for row in b.rows]
    numeric = [index for index, column in enumerate(b.columns) if column.kind in ("number", "estimate", "meter")]
    return [_table([_say(column.title, language) for column in b.columns], rows, numeric)]


def _matrix(b: Matrix, language: str) -> list[str]:
    if len(b.labels) > MOST_LABELS:
        return []
    labels = [escape_markdown(label) for label in b.labels]
    rows = [[label, *(count(cell) for cell in row)] for label, row in zip(labels, b.counts, strict=True)]
    return [_table([_say(b.corner, language), *labels], rows, range(1, len(labels) + 1))]


def _lines(b: Lines, language: str) -> list[str]:
    """The points of the curves as a table, thinned out where they are many."""
    series = [one for one in b.series if one.points and not one.faint]
    xs = sorted({x for one in series for x, _ in one.points})
    if len(xs) > MOST_POINTS:
        ringed = {one.points[index][0] for one in series for index in one.ringed}
        xs = sorted({xs[round(i * (len(xs) - 1) / (MOST_POINTS - 1))] for i in range(MOST_POINTS)} | ringed)
    values = [dict(one.points) for one in series]
    notes = [dict(zip((x for x, _ in one.points), one.notes, strict=False)) for one in series]
    rows = []
    for x in xs:
        row = [value_text(b.x.unit, x) if b.x.unit == "percent" else tick_text(b.x.unit, x)]
        for points, noted in zip(values, notes, strict=True):
            note = f" ({escape_markdown(noted[x])})" if x in noted else ""
            row.append(f"{value_text(b.y.unit, points[x])}{note}" if x in points else "")
        rows.append(row)
    if not rows:
        return []
    head = [_say(b.x.title, language), *(_say(one.name or b.title, language) for one in series)]
    return [f"**{_say(b.title, language)}**", _table(head, rows, range(len(head)))]


def _record(record: Record, language: str) -> str:
    colon = Text(": ", "：").in_language(language)
    lines = [f"**{_say(record.heading, language)}**"] if record.heading else []
    for text in record.texts:
        label = f"{_say(text.label, language)}{colon}" if text.label else ""
        lines.append(f"{label}{_line(text.text, language) or '–'}")
    if record.facts:
        lines.append(" · ".join(_line(fact, language) for fact in record.facts))
    # A blank item would make the lines below it a list of their own.
    return "- " + "\\\n  ".join(line if line.strip() else "–" for line in lines)


def _records(b: Records, language: str) -> list[str]:
    return ["\n".join(_record(record, language) for record in b.records[:MOST_RECORDS])]


def _choices(b: Choices, language: str) -> list[str]:
    rows = [(_say(one.label, language), count(one.count), _say(one.note, language)) for one in b.choices]
    heads = Text("Group", "分组"), Text("Number", "数量"), Text("Meaning", "说明")
    parts = [_table([_say(head, language) for head in heads], rows, (1,))]
    for one in b.choices:
        if one.examples is not None and one.examples.records:
            parts += [f"### {_say(one.label, language)}", *_records(one.examples, language)]
    return parts


def _fold(b: Fold, language: str) -> list[str]:
    return [f"### {_say(b.summary, language)}", *_blocks(b.blocks, language)]


def _beside(b: Beside, language: str) -> list[str]:
    return _blocks(b.blocks, language)


_RENDERERS: dict[type, Callable[[Any, str], list[str]]] = {
    Verdict: _verdict,
    Paragraph: _paragraph,
    Remarks: _remarks,
    Definitions: _definitions,
    Notices: _notices,
    Bars: _bars,
    Whiskers: _whiskers,
    Table: _data_table,
    Matrix: _matrix,
    Lines: _lines,
    Records: _records,
    Choices: _choices,
    Fold: _fold,
    Beside: _beside,
}
