"""Charts as markup: curves in SVG that stretches, words in HTML that does not, so that no text shrinks with the window.

Knows axes and marks. Colours, fonts and dark mode are the style sheet's (report.css). Every curve is named at its end, so that there is no
legend to look up. Serves the live curves of a run, the report on the page and the report as a file; does not know what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from engine.sections import Axis, Estimate, Lines, Series, Unit, Words

HEIGHT = 160  # pixels; the width is whatever the column has
SQUARE = 220  # of a chart whose axes mean the same
LABEL_GAP = 17  # pixels between two names at the right edge


def in_language(words: Words, language: str | None) -> Markup:
    """Words escaped, in one language, or in both for a style sheet that shows one (`language` None)."""
    if isinstance(words, str):
        return escape(words)
    if language is not None:
        return escape(words.in_language(language))
    if words.en == words.zh:
        return escape(words.en)
    return Markup('<span class="en" lang="en">{}</span><span class="zh" lang="zh-CN">{}</span>').format(
        words.en, words.zh
    )


def attribute(words: Words, language: str | None) -> str:
    """Words for an attribute, which cannot hold two languages that a style sheet chooses from."""
    if isinstance(words, str):
        return words
    if language is not None or words.en == words.zh:
        return words.in_language(language or "en")
    return f"{words.en} · {words.zh}"


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers within a range: steps of 1, 2 or 5 times a power of ten (Heckbert 1990, "Nice numbers for graph labels")."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    rough = span / most
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * unit for unit in (1, 2, 5, 10) if scale * unit >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def tick_text(unit: Unit, value: float) -> str:
    """A round number at an axis."""
    if unit == "percent":
        return f"{100 * value:g}%"
    return f"{value:,.0f}" if unit == "count" else f"{value:.4g}"


def value_text(unit: Unit, value: float) -> str:
    """A value of a curve, with two or three digits that matter."""
    if unit == "percent":
        return f"{100 * value:.1f}%".replace(".0%", "%")
    if unit == "count":
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}"


def whisker(estimate: Estimate, span: tuple[float, float], strong: bool = False, mark: float | None = None) -> Markup:
    """A dot with its interval on one row. `mark` is a value to compare with, drawn as a thin upright line."""
    at = _percent_in(span)
    low, high = at(estimate.low), at(estimate.high)
    grid = "".join(f'<line class="tb-gridline" x1="{at(t)}" x2="{at(t)}" y1="0" y2="100%"/>' for t in ticks(*span))
    compared = "" if mark is None else f'<line class="tb-mark" x1="{at(mark)}" x2="{at(mark)}" y1="0" y2="100%"/>'
    return Markup(
        f'<svg class="tb-dots{" tb-dots-strong" if strong else ""}" width="100%" height="24" aria-hidden="true">{grid}{compared}'
        f'<line class="tb-dots-line" x1="{low}" x2="{high}" y1="12" y2="12"/>'
        f'<line class="tb-dots-cap" x1="{low}" x2="{low}" y1="8" y2="16"/><line class="tb-dots-cap" x1="{high}" x2="{high}" y1="8" y2="16"/>'
        f'<circle class="tb-dots-dot" cx="{at(estimate.value)}" cy="12" r="5"/></svg>'
    )


def whisker_axis(span: tuple[float, float], unit: Unit) -> Markup:
    """The numbers under a stack of whiskers."""
    at = _percent_in(span)

    def anchor(tick: float) -> str:
        return "start" if tick == span[0] else "end" if tick == span[1] else "middle"

    labels = "".join(
        f'<text x="{at(t)}" y="12" text-anchor="{anchor(t)}">{escape(tick_text(unit, t))}</text>' for t in ticks(*span)
    )
    return Markup(f'<svg class="tb-dots-axis" width="100%" height="16" aria-hidden="true">{labels}</svg>')


def _percent_in(span: tuple[float, float]) -> Callable[[float], str]:
    """Per cent of the width, with room for half a dot at both ends."""
    low, high = span

    def at(value: float) -> str:
        return f"{2 + 96 * (min(max(value, low), high) - low) / (high - low):.2f}%"

    return at


def line_chart(chart: Lines, language: str | None = None) -> Markup:
    """A figure with its caption."""
    title, height = in_language(chart.title, language), SQUARE if chart.diagonal else HEIGHT
    drawn = [one for one in chart.series if one.points]
    if not drawn:
        return Markup(
            '<figure class="tb-chart"><figcaption>{}</figcaption><div class="tb-plot tb-plot-empty" style="height:{}px"><p>{}</p></div></figure>'
        ).format(title, height, in_language(chart.empty, language))
    points = [point for one in drawn for point in one.points]
    place: Callable[[float], float] = math.log if chart.x.logarithmic else float
    x_low, x_high = chart.x.span or (min(x for x, _ in points), max(x for x, _ in points))
    y_low, y_high = chart.y.span or _padded([y for _, y in points])

    def across(x: float) -> float:
        return 100 * (place(x) - place(x_low)) / (place(x_high) - place(x_low)) if x_high > x_low else 50.0

    def down(y: float) -> float:
        return 100 - 100 * (min(max(y, y_low), y_high) - y_low) / ((y_high - y_low) or 1)

    grid, labels = [], []
    for value in chart.y.ticks or ticks(y_low, y_high, 4):
        grid.append(f'<line x1="0" x2="100" y1="{down(value):.2f}" y2="{down(value):.2f}"/>')
        labels.append(
            f'<span class="tb-y" style="top:{down(value):.2f}%">{escape(tick_text(chart.y.unit, value))}</span>'
        )
    for value in chart.x.ticks or ticks(x_low, x_high, 5):
        labels.append(
            f'<span class="tb-x" style="left:{across(value):.2f}%">{escape(tick_text(chart.x.unit, value))}</span>'
        )
    if chart.diagonal:
        grid.append(
            f'<line class="tb-diagonal" x1="{across(x_low):.2f}" y1="{down(x_low):.2f}" x2="{across(x_high):.2f}" y2="{down(x_high):.2f}"/>'
        )
    for words, side in zip(chart.hints or (), ("above", "below"), strict=False):
        labels.append(f'<span class="tb-hint tb-hint-{side}">{in_language(words, language)}</span>')
    paths, dots, names = [], [], []
    for one in drawn:
        path = " ".join(f"{across(x):.2f},{down(y):.2f}" for x, y in one.points)
        faint = " tb-faint" if one.faint else ""
        paths.append(f'<polyline class="tb-line tb-{escape(one.kind)}{faint}" points="{path}"/>')
        dots += _dots(one, across, down, chart.y, language)
        if not one.faint and one.name:
            names.append((down(one.points[-1][1]) / 100 * height, one))
    for top, one in _spread(names, height):
        labels.append(
            f'<span class="tb-name tb-{escape(one.kind)}" style="top:{top:.1f}px">{in_language(one.name, language)} '
            f"<b>{escape(value_text(chart.y.unit, one.points[-1][1]))}</b></span>"
        )
    labels.append(f'<span class="tb-x-title">{in_language(chart.x.title, language)}</span>' if chart.x.title else "")
    bare = "" if names else " tb-plot-bare"
    return Markup(
        f'<figure class="tb-chart" role="img" aria-label="{escape(_described(chart, drawn, language))}"><figcaption>{title}</figcaption>'
        f'<div class="tb-plot{bare}" style="height:{height}px"><svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f'<g class="tb-grid">{"".join(grid)}</g>{"".join(paths)}</svg>{"".join(dots)}{"".join(labels)}</div></figure>'
    )


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return max(0.0, low - margin) if low >= 0 else low - margin, high + margin


def _dots(
    one: Series, across: Callable[[float], float], down: Callable[[float], float], axis: Axis, language: str | None
) -> list[str]:
    """The marked points of a curve; their notes show under the pointer."""
    marked = []
    for index, (x, y) in enumerate(one.points):
        if not one.dots and index not in one.ringed:
            continue
        note = f" ({one.notes[index]})" if one.notes else ""
        title = f"{attribute(one.name, language)} {value_text(axis.unit, y)}{note}"
        ring = " tb-star" if index in one.ringed else ""
        marked.append(
            f'<span class="tb-dot tb-{escape(one.kind)}{ring}" style="left:{across(x):.2f}%;top:{down(y):.2f}%" title="{escape(title)}"></span>'
        )
    return marked


def _described(chart: Lines, drawn: Sequence[Series], language: str | None) -> str:
    """The chart for a screen reader: its title and where each curve ends."""
    ends = [
        f"{attribute(one.name, language)} {value_text(chart.y.unit, one.points[-1][1])}" for one in drawn if one.name
    ]
    return f"{attribute(chart.title, language)}: {'; '.join(ends)}" if ends else attribute(chart.title, language)


def _spread(names: list[tuple[float, Series]], height: float) -> list[tuple[float, Series]]:
    """Names in order of height, pushed apart until none covers another and all stay inside the plot."""
    placed: list[tuple[float, Series]] = []
    for top, one in sorted(names, key=lambda pair: pair[0]):
        floor = placed[-1][0] + LABEL_GAP if placed else 0.0
        placed.append((max(top, floor), one))
    over = (placed[-1][0] - height) if placed else 0.0
    return [(top - over, one) for top, one in placed] if over > 0 else placed
