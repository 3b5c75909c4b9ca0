"""Line charts as markup: curves in SVG that stretches, words in HTML that does not.

Gradio's plot component builds itself anew on every update, which flickers and forgets where the reader was, and loads 4.6 MB first;
a live curve and a phone need neither. Colours come from style.css, so light and dark need no second drawing. Every curve is
named at its end, so there is no legend to look up. Knows axes and marks; does not know what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demo.markup import safe

HEIGHT = 160  # pixels; the width is whatever the column has
LABEL_GAP = 17  # pixels between two names at the right edge


@dataclass(frozen=True)
class Series:
    """One curve: points (x, y) in data units, a name shown at its end, and a CSS kind (colour). `dots` marks each point."""

    name: str
    points: Sequence[tuple[float, float]]
    kind: str
    dots: bool = False
    faint: bool = False  # drawn behind, without a name
    starred: frozenset[int] = frozenset()  # indices of points to ring


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers that cover [low, high], roughly `about` of them (Heckbert 1990, "Nice numbers for graph labels")."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    rough = span / max(about, 1)
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def smooth(points: Sequence[tuple[float, float]], weight: float = 0.85) -> list[tuple[float, float]]:
    """Exponential moving average of y, corrected for its start (Kingma & Ba 2015, section 3)."""
    smoothed, average, correction = [], 0.0, 1.0
    for x, y in points:
        average = weight * average + (1 - weight) * y
        correction *= weight
        smoothed.append((x, average / (1 - correction)))
    return smoothed


def line_chart(
    title: str,
    series: Sequence[Series],
    x_range: tuple[float, float],
    y_range: tuple[float, float] | None = None,
    x_title: str = "",
    y_format: Callable[[float], str] = lambda value: f"{value:g}",
    x_format: Callable[[float], str] = lambda value: f"{value:g}",
    diagonal: bool = False,
    empty: str = "",
) -> str:
    """A figure. `y_range` is found from the points when not given. `diagonal` draws y = x. `empty` is said when there is no point."""
    points = [point for one in series for point in one.points]
    if not points:
        return (
            f'<figure class="tb-chart"><figcaption>{safe(title)}</figcaption>'
            f'<div class="tb-plot tb-plot-empty" style="height:{HEIGHT}px"><p>{safe(empty)}</p></div></figure>'
        )
    x_low, x_high = x_range
    if y_range is None:
        low, high = min(y for _, y in points), max(y for _, y in points)
        margin = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
        y_range = (max(0.0, low - margin) if low >= 0 else low - margin, high + margin)
    y_low, y_high = y_range

    def across(x: float) -> float:
        return 100 * (x - x_low) / ((x_high - x_low) or 1)

    def down(y: float) -> float:
        return 100 - 100 * (min(max(y, y_low), y_high) - y_low) / ((y_high - y_low) or 1)

    grid, words = [], []
    for value in ticks(y_low, y_high):
        grid.append(f'<line x1="0" x2="100" y1="{down(value):.2f}" y2="{down(value):.2f}"/>')
        words.append(f'<span class="tb-y" style="top:{down(value):.2f}%">{safe(y_format(value))}</span>')
    for value in ticks(x_low, x_high, 5):
        words.append(f'<span class="tb-x" style="left:{across(value):.2f}%">{safe(x_format(value))}</span>')
    if diagonal:
        grid.append(f'<line class="tb-diagonal" x1="0" y1="{down(x_low):.2f}" x2="100" y2="{down(x_high):.2f}"/>')

    paths, dots, names = [], [], []
    for one in series:
        if not one.points:
            continue
        path = " ".join(f"{across(x):.2f},{down(y):.2f}" for x, y in one.points)
        faint = " tb-faint" if one.faint else ""
        paths.append(f'<polyline class="tb-line tb-{safe(one.kind)}{faint}" points="{path}"/>')
        if one.dots:
            for index, (x, y) in enumerate(one.points):
                ring = " tb-star" if index in one.starred else ""
                dots.append(
                    f'<i class="tb-dot tb-{safe(one.kind)}{ring}" style="left:{across(x):.2f}%;top:{down(y):.2f}%" '
                    f'title="{safe(one.name)} {safe(y_format(y))}"></i>'
                )
        if not one.faint and one.name:
            x, y = one.points[-1]
            names.append((down(y) / 100 * HEIGHT, one))
    for top, one in _spread(names):
        words.append(
            f'<span class="tb-name tb-{safe(one.kind)}" style="top:{top:.1f}px">{safe(one.name)} '
            f"<b>{safe(y_format(one.points[-1][1]))}</b></span>"
        )
    if x_title:
        words.append(f'<span class="tb-x-title">{safe(x_title)}</span>')
    described = "; ".join(f"{one.name} {y_format(one.points[-1][1])}" for one in series if one.points and one.name)
    return (
        f'<figure class="tb-chart" role="img" aria-label="{safe(title)}: {safe(described)}"><figcaption>{safe(title)}</figcaption>'
        f'<div class="tb-plot" style="height:{HEIGHT}px"><svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f'<g class="tb-grid">{"".join(grid)}</g>{"".join(paths)}</svg>{"".join(dots)}{"".join(words)}</div></figure>'
    )


def _spread(names: list[tuple[float, Series]]) -> list[tuple[float, Series]]:
    """Names in order of height, pushed apart until none covers another and all stay inside the plot."""
    placed: list[tuple[float, Series]] = []
    for top, one in sorted(names, key=lambda pair: pair[0]):
        floor = placed[-1][0] + LABEL_GAP if placed else 0.0
        placed.append((max(top, floor), one))
    over = (placed[-1][0] - HEIGHT) if placed else 0.0
    return [(top - over, one) for top, one in placed] if over > 0 else placed
