"""Answers of a tagger as a column file: a word and its tag on each line, a blank line between texts.

Knows words and spans. Does not know models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.tasks.ner.words import split_words

if TYPE_CHECKING:
    from engine.data.table import Table
    from engine.schema import Answered


def conll(table: Table, answered: Answered) -> str:
    """The text of the file, BIO. A row has `text` and perhaps `tokens` (their places); one without an answer is passed over."""
    lines = []
    for row, answer in zip(answered.rows, answered.answers, strict=True):
        if row is None or answer is None:
            continue
        words = tagged_words(row["text"], row.get("tokens"), answer["entities"])
        lines += [f"{' '.join(word.split()) or '_'}\t{tag}\n" for word, tag in words]
        lines.append("\n")
    return "".join(lines)


def tagged_words(
    text: str, tokens: Sequence[Sequence[int]] | None, entities: Sequence[dict[str, Any]]
) -> list[tuple[str, str]]:
    """Each token, or each word where there are none, with its tag. A word that an entity cuts is cut there."""
    if tokens is None:
        edges = sorted({entity[side] for entity in entities for side in ("start", "end")})
        places = [part for place in split_words(text)[0] for part in _cut(place, edges)]
    else:
        places = [(start, end) for start, end in tokens]
    ordered = sorted(entities, key=lambda entity: entity["start"])
    tagged, at, opened = [], 0, -1
    for start, end in places:
        while at < len(ordered) and ordered[at]["end"] <= start:
            at += 1
        tag = "O"
        if at < len(ordered) and ordered[at]["start"] < end and start < end:
            tag = f"{'I' if opened == at else 'B'}-{ordered[at]['label']}"
            opened = at
        tagged.append((text[start:end], tag))
    return tagged


def _cut(place: tuple[int, int], edges: Sequence[int]) -> list[tuple[int, int]]:
    start, end = place
    inner = [edge for edge in edges if start < edge < end]
    return list(zip([start, *inner], [*inner, end], strict=True))
