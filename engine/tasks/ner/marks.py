"""A text with its entities, cut into runs that are marked or not, and the colour of each type.

Knows characters and types; how a run is drawn is the reader's. Every type keeps its colour wherever it is shown.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

COLOURS = 12  # --entity-0 ... --entity-11 of the style sheets
# Types that many data sets share have the same colour in all of them.
_USUAL = {
    "PER": 0, "PERSON": 0, "LOC": 1, "LOCATION": 1, "GPE": 1, "PLACE": 1, "AREA": 1, "ORG": 2, "CORPORATION": 2, "DATE": 3, "TIME": 4,
    "MISC": 5, "MONEY": 6, "AMOUNT": 6, "PRODUCT": 7, "NAME": 7, "GROUP": 8, "ORDER": 9, "CREATIVE-WORK": 10,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a text. `span` is the entity it is part of, None for what lies between."""

    text: str
    span: dict[str, Any] | None = None


def colours(labels: Iterable[str]) -> dict[str, int]:
    """The number of each type's colour: chosen by its name, and different for all types as far as there are colours."""
    chosen: dict[str, int] = {}
    for label in sorted(set(labels), key=lambda label: (label.upper() not in _USUAL, label)):
        wish = _USUAL.get(label.upper(), zlib.crc32(label.upper().encode("utf-8", "backslashreplace")) % COLOURS)
        taken = set(chosen.values())
        free = (colour % COLOURS for colour in range(wish, wish + COLOURS) if colour % COLOURS not in taken)
        chosen[label] = next(free, wish)
    return chosen


def runs(text: str, spans: Sequence[dict[str, Any]], start: int = 0, end: int | None = None) -> list[Run]:
    """`text[start:end]` in runs. Of spans that overlap the first and longest is marked; a span cut by the edge is marked in part."""
    end = len(text) if end is None else end
    runs: list[Run] = []
    at = start
    for span in sorted(spans, key=lambda span: (span["start"], -span["end"])):
        first, last = max(span["start"], at), min(span["end"], end)
        if span["start"] < at and span["start"] >= start:
            continue  # inside, or across, one that is marked already
        if first >= last:
            continue
        if at < first:
            runs.append(Run(text[at:first]))
        runs.append(Run(text[first:last], span))
        at = last
    if at < end:
        runs.append(Run(text[at:end]))
    return runs


def window(text: str, start: int, end: int, around: int = 90) -> tuple[int, int]:
    """Where to cut a long text around [start, end): `around` characters on both sides, at a blank where one is near."""
    first, last = max(0, start - around), min(len(text), end + around)
    if first > 0:
        blank = text.find(" ", first, min(start, first + 25))
        first = blank + 1 if blank >= 0 else first
    if last < len(text):
        blank = text.rfind(" ", max(end, last - 25), last)
        last = blank if blank >= 0 else last
    return first, last
