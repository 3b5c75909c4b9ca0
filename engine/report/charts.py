"""Charts as inline SVG, small enough to read in the source.

Knows coordinates. Colours, fonts and dark mode are the style sheet's; numbers arrive ready to draw. Widths are either per cent of
the row they stand in or those of a phone, so that no text ever shrinks with the window.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from engine.core.text import Text

WIDTH, HEIGHT = 360, 230
LEFT, RIGHT, TOP, BOTTOM = 40, 84, 14, 44
LINE = 14  # between two labels at the ends of lines


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its name, its points (x, y), and the class that colours it. `marked` is the x of a ringed point."""

    name: Text
    points: Sequence[tuple[float, float]]
    style: str
    marked: float | None = None


def domain(low: float, high: float) -> tuple[float, float]:
    """The tenths between 0 and 1 that hold everything, with a little air."""
    first, last = math.floor((low - 0.02) * 10) / 10, math.ceil((high + 0.01) * 10) / 10
    return max(0.0, first), min(1.0, max(last, first + 0.2))


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers within a range: steps of 1, 2 or 5 times a power of ten."""
    if high <= low:
        return [low]
    rough = (high - low) / most
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * unit for unit in (1, 2, 5, 10) if scale * unit >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def whisker(
    value: float, low: float, high: float, span: tuple[float, float], style: str = "", mark: float | None = None
) -> Markup:
    """A dot with its interval on one row. `mark` is a value to compare with, drawn as a thin upright line."""
    at = _percent_in(span)
    grid = "".join(f'<line class="grid" x1="{at(t)}" x2="{at(t)}" y1="0" y2="100%"/>' for t in ticks(*span))
    compared = "" if mark is None else f'<line class="mark" x1="{at(mark)}" x2="{at(mark)}" y1="0" y2="100%"/>'
    return Markup(
        f'<svg class="whisker {style}" width="100%" height="26" aria-hidden="true">{grid}{compared}'
        f'<line class="interval" x1="{at(low)}" x2="{at(high)}" y1="13" y2="13"/>'
        f'<line class="cap" x1="{at(low)}" x2="{at(low)}" y1="9" y2="17"/><line class="cap" x1="{at(high)}" x2="{at(high)}" y1="9" y2="17"/>'
        f'<circle class="dot" cx="{at(value)}" cy="13" r="5"/></svg>'
    )


def axis(span: tuple[float, float], shown: Callable[[float], str]) -> Markup:
    """The numbers under a stack of whiskers."""
    at = _percent_in(span)
    marks = ticks(*span)

    def anchor(tick: float) -> str:
        return "start" if tick == span[0] else "end" if tick == span[1] else "middle"

    labels = "".join(f'<text x="{at(t)}" y="12" text-anchor="{anchor(t)}">{escape(shown(t))}</text>' for t in marks)
    return Markup(f'<svg class="axis" width="100%" height="16" aria-hidden="true">{labels}</svg>')


def bar(share: float) -> Markup:
    """A share of a whole, as a bar that fills its row."""
    return Markup(
        '<svg class="bar" width="100%" height="8" aria-hidden="true"><rect class="track" width="100%" height="8" rx="4"/>'
        f'<rect class="fill" width="{100 * share:.2f}%" height="8" rx="4"/></svg>'
    )


def lines(
    series: Sequence[Series],
    shown: Callable[[float], str],
    x_name: Text,
    x_shown: Callable[[float], str] = lambda x: f"{x:g}",
    from_zero: bool = False,
    x_ticks: Sequence[float] | None = None,
    logarithmic: bool = False,
) -> Markup:
    """Lines over a common x, each named where it ends. `logarithmic` spaces x by its logarithm."""
    xs = [x for one in series for x, _ in one.points]
    ys = [y for one in series for _, y in one.points]
    low, high = (0.0 if from_zero else min(ys)), max(ys)
    room = (high - low) * 0.08 or max(abs(high) * 0.05, 0.01)
    low, high = (0.0 if from_zero else low - room), high + room
    place: Callable[[float], float] = math.log if logarithmic else float
    first, last = place(min(xs)), place(max(xs))

    def across(x: float) -> float:
        inner = WIDTH - LEFT - RIGHT
        return LEFT + (inner * (place(x) - first) / (last - first) if last > first else inner / 2)

    def down(y: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - y) / (high - low)

    parts = [f'<svg class="lines" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">']
    for tick in ticks(low, high):
        y = down(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(shown(tick))}</text>')
    for tick in x_ticks if x_ticks is not None else ticks(min(xs), max(xs), 4):
        parts.append(
            f'<text x="{across(tick):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{escape(x_shown(tick))}</text>'
        )
    parts.append(_words(x_name, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 34, "axis-name", "middle"))
    for one in series:
        path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in one.points)
        parts.append(f'<polyline class="line {one.style}" points="{path}"/>')
        for x, y in one.points:
            kept = one.marked is not None and math.isclose(x, one.marked, abs_tol=1e-6)
            shape = f'class="ring {one.style}" r="5"' if kept else f'class="point {one.style}" r="2.5"'
            parts.append(f'<circle {shape} cx="{across(x):.1f}" cy="{down(y):.1f}"/>')
    ends = _apart([down(one.points[-1][1]) + 4 for one in series])
    for one, y in zip(series, ends, strict=True):
        parts.append(_words(one.name, across(one.points[-1][0]) + 10, y, f"end {one.style}"))
    return Markup("".join(parts) + "</svg>")


def reliability(bins: Sequence[dict[str, float]]) -> Markup:
    """How often the model is right against how sure it is. On the diagonal it is as good as its word."""
    size, margin = 300, 40
    inner = size - margin - 18

    def across(x: float) -> float:
        return margin + inner * x

    def down(y: float) -> float:
        return 12 + inner * (1 - y)

    parts = [f'<svg class="reliability" viewBox="0 0 {size} {size - 8}" aria-hidden="true">']
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = across(tick), down(tick)
        parts.append(f'<line class="grid" x1="{margin}" x2="{size - 18}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{margin - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:.0%}</text>')
        parts.append(f'<text x="{x:.1f}" y="{down(0) + 17:.1f}" text-anchor="middle">{tick:.0%}</text>')
    parts.append(f'<line class="diagonal" x1="{across(0)}" y1="{down(0)}" x2="{across(1)}" y2="{down(1)}"/>')
    # Where it says more than it does lies below the diagonal.
    parts.append(_words(Text("too cautious", "过于保守"), across(0.05), down(0.9), "hint"))
    parts.append(_words(Text("too sure", "过于自信"), across(0.96), down(0.05), "hint", "end"))
    path = " ".join(f"{across(b['confidence']):.1f},{down(b['accuracy']):.1f}" for b in bins)
    parts.append(f'<polyline class="line tuned" points="{path}"/>')
    for b in bins:
        parts.append(
            f'<circle class="point tuned" cx="{across(b["confidence"]):.1f}" cy="{down(b["accuracy"]):.1f}" r="4">'
            f"<title>{b['confidence']:.1%} → {b['accuracy']:.1%} (n = {b['count']})</title></circle>"
        )
    return Markup("".join(parts) + "</svg>")


def _percent_in(span: tuple[float, float]) -> Callable[[float], str]:
    """Per cent of the width, with room for half a dot at both ends."""
    low, high = span

    def at(value: float) -> str:
        return f"{2 + 96 * (min(max(value, low), high) - low) / (high - low):.2f}%"

    return at


def _words(text: Text, x: float, y: float, style: str, anchor: str = "start") -> str:
    """A label in both languages, of which the style sheet shows one."""
    both = (("", text.en),) if text.en == text.zh else (("en ", text.en), ("zh ", text.zh))
    return "".join(
        f'<text class="{language}{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'
        for language, said in both
    )


def _apart(heights: Sequence[float]) -> list[float]:
    """Labels moved apart until none covers another, in their order."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed = list(heights)
    for above, below in itertools.pairwise(order):
        placed[below] = max(placed[below], placed[above] + LINE)
    return placed
