"""A text with places marked in it, as markup.

Knows characters and marks; spans may overlap. Does not know who marked them, or why. Everything is escaped.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from demo.markup import safe


@dataclass(frozen=True, slots=True)
class Mark:
    """[start, end) in characters. `place` is what a link calls it by, `note` is written small at its beginning; one that is not
    `strong` is only underlined.
    """

    start: int
    end: int
    place: str
    note: str = ""
    strong: bool = True
    title: str = ""


def marked_html(text: str, marks: Sequence[Mark]) -> str:
    """The text with its marks. Where several overlap, the piece belongs to all of them."""
    edges = sorted({0, len(text), *(edge for mark in marks for edge in (mark.start, mark.end) if 0 < edge < len(text))})
    parts = []
    for start, end in itertools.pairwise(edges):
        here = [mark for mark in marks if mark.start <= start and end <= mark.end]
        piece = safe(text[start:end])
        if not here:
            parts.append(piece)
            continue
        strong = [mark for mark in here if mark.strong]
        notes = "".join(f"<sup>{safe(mark.note)}</sup>" for mark in here if mark.note and mark.start == start)
        kind = "tb-hit" if strong else "tb-maybe"
        place = " ".join(mark.place for mark in here)
        title = next((f' title="{safe(mark.title)}"' for mark in here if mark.title), "")
        parts.append(f'<mark class="{kind}" data-place="{safe(place)}"{title}>{notes}{piece}</mark>')
    return "".join(parts)
