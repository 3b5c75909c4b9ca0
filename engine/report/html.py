"""The typed sections of a report as HTML: one renderer for the page and for the file.

The page shows one language and makes buttons of what leads to test rows; the file holds both languages with a switch of its style sheet
alone, and the rows that the report itself holds. Everything is escaped on its way out. Knows blocks (engine/sections.py); does not
know which sections a report has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from engine.core.text import Text
from engine.evaluation.metric_format import count
from engine.report import charts
from engine.sections import Choice, Estimate, Line, Matrix, Section, Span, Whiskers, Words, axis_span, clipped, picks_in

STYLE = Path(__file__).with_name("report.css")
CLICK = Text("Click one to read its rows.", "点击可查看对应的数据。")
LONGEST_LABEL = 28  # characters of a label at the edge of a matrix
FIRST_WORDS = 110  # characters of a folded text that stay in sight


def sections_html(sections: Iterable[Section], language: str | None, picks: bool = False) -> Markup:
    """The sections in order. `language` None writes both languages; `picks` makes what leads to test rows clickable."""
    template = _environment().get_template("sections.html")
    return Markup(template.render(sections=list(sections), language=language, picks=picks).strip())


def line_html(line: Line, language: str | None) -> Markup:
    """A line with its marks, without a section around it."""
    return Markup(_environment().get_template("line.html").render(line_=line, language=language, picks=False))


def report_page(sections: Sequence[Section], title: Text, created: str, footer: Text, language: str = "en") -> str:
    """A whole HTML document in both languages that needs nothing else; `language` is the one shown first."""
    return (
        _environment()
        .get_template("report.html")
        .render(
            sections=sections_html(sections, None),
            title=title,
            created=created,
            footer=footer,
            chinese=language.lower().startswith("zh"),
            language=None,
            style=Markup(file_style()),
        )
    )


def file_style() -> str:
    """The style sheet of a file: the report's, its dark colours chosen by the reader's system as no page does it."""
    style = STYLE.read_text(encoding="utf-8")
    dark = re.search(r"^\.dark \{([^}]*)\}", style, re.MULTILINE)
    if dark is None:
        raise ValueError("report.css has no colours for the dark")
    chosen = f"@media (prefers-color-scheme: dark) {{ :root {{{dark[1]}}} }}"
    return style.replace(dark[0], chosen) + STYLE.with_name("file.css").read_text(encoding="utf-8")


@pass_context
def _say(context: Context, words: Words) -> Markup:
    return charts.in_language(words, context["language"])


@pass_context
def _attribute(context: Context, words: Words) -> str:
    return charts.attribute(words, context["language"])


@pass_context
def _cell_title(context: Context, matrix: Matrix, row: int, column: int) -> str:
    title = matrix.cell.format(
        count=count(matrix.counts[row][column]), row=matrix.labels[row], column=matrix.labels[column]
    )
    return charts.attribute(title, context["language"])


def _parts(line: Line) -> tuple[Words | Span, ...]:
    return line if isinstance(line, tuple) else (line,)


@pass_context
def _first_words(context: Context, line: Line) -> Markup:
    """The beginning of a line without its marks, on one line."""
    text = "".join(
        charts.attribute(part.text if isinstance(part, Span) else part, context["language"]) for part in _parts(line)
    )
    return escape(clipped(" ".join(text.split()), FIRST_WORDS))


def _position(share: float, least: float = 0.0) -> str:
    """Per cent of a width, within it."""
    return f"{max(100 * min(max(share, 0.0), 1.0), least):.2f}"


def _breakable(label: str) -> Markup:
    """A label that may be broken after its underscores and the like, where a line ends."""
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[_\-/.:])", label))


def _short(label: str) -> str:
    text = " ".join(label.split())
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1].rstrip() + "…"


def _largest_error(matrix: Matrix) -> int:
    return max(
        (cell for i, row in enumerate(matrix.counts) for j, cell in enumerate(row) if i != j),
        default=0,
    )


def whisker_span(whiskers: Whiskers) -> tuple[float, float]:
    """The part of the axis from 0 to 1 that holds every interval."""
    estimates = [row.estimate for row in whiskers.rows]
    return axis_span(min(one.low for one in estimates), max(one.high for one in estimates))


def examples_of(choice: Choice) -> Text:
    """How many of a group are shown."""
    shown, of = count(len(choice.examples.records) if choice.examples else 0), count(choice.count)
    return Text(f"{shown} of {of}", f"共 {of} 处，显示 {shown} 处")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("engine.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests.update(
        words_text=lambda value: isinstance(value, Text), estimate=lambda value: isinstance(value, Estimate)
    )
    functions: dict[str, Any] = {
        "say": _say,
        "attr": _attribute,
        "cell_title": _cell_title,
        "parts": _parts,
        "first_words": _first_words,
        "at": _position,
        "breakable": _breakable,
        "short": _short,
        "largest_error": _largest_error,
        "whisker_span": whisker_span,
        "examples_of": examples_of,
        "kind_of": lambda block: type(block).__name__,
        "count": count,
        "picks_in": picks_in,
        "click": CLICK,
        "zip": zip,
        "charts": charts,
    }
    environment.globals.update(functions)
    return environment
