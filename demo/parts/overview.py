"""Pieces of an overview: what a table holds to learn from, as bars and a line of text below the mapped rows.

What is counted is decided by each tab (`TabSpec.overview`).
"""

from __future__ import annotations

from demo.markup import bar, count, safe
from engine.core.text import Text

SHOWN = 12  # bars; the rest is counted in a line


def heading_html(title: Text, language: str) -> str:
    return f'<h3 class="tb-sub">{safe(title.in_language(language))}</h3>'


def caption_html(text: Text, language: str) -> str:
    return f'<p class="tb-quiet">{safe(text.in_language(language))}</p>'


def bars_html(counts: list[tuple[str, int]], longest: int, total: int) -> str:
    """Bars by name: `longest` is the count of a full bar, `total` what the shares are of."""
    bars = "".join(
        bar(name, number / longest, count(number), note=f"{100 * number / total:.0f}%") for name, number in counts
    )
    return f'<div class="tb-bars">{bars}</div>'


def distribution_html(counts: list[tuple[str, int]], title: Text, more: Text, language: str) -> str:
    """How often each label occurs, most frequent first. `title` has the field {count}, all labels; `more`, those not shown."""
    if not counts:
        return ""
    bars = bars_html(counts[:SHOWN], counts[0][1], sum(number for _, number in counts))
    hidden = len(counts) - SHOWN
    rest = caption_html(more.format(count=hidden), language) if hidden > 0 else ""
    return heading_html(title.format(count=len(counts)), language) + bars + rest
