"""What memory alone finds: the entities of the training rows, looked up again (longest match).

Knows words and surfaces. Does not know any model.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from engine.schema import Example
from engine.tasks.ner.words import split_words

Span = dict[str, Any]
LEAST_RIGHT = 0.5  # of its places in the training texts; below it a surface is mostly no entity ("May", "the")


class Lexicon:
    """Surfaces, as sequences of words, with the type that each had most often."""

    def __init__(self, train: Sequence[Example]):
        kinds: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for example in train:
            text = example.inputs["text"]
            for span in example.target:
                kinds[_words(text[span["start"] : span["end"]])][span["label"]] += 1
        kinds.pop((), None)
        self._types = {surface: min(types, key=lambda t: (-types[t], t)) for surface, types in kinds.items()}
        self._index()
        places: Counter[tuple[str, ...]] = Counter()
        right: Counter[tuple[str, ...]] = Counter()
        for example in train:
            true = {(span["start"], span["end"], span["label"]) for span in example.target}
            for surface, span in self._matches(example):
                places[surface] += 1
                right[surface] += (span["start"], span["end"], span["label"]) in true
        self._types = {
            surface: label for surface, label in self._types.items() if right[surface] >= LEAST_RIGHT * places[surface]
        }
        self._index()

    def find(self, example: Example) -> list[Span]:
        """The known entities of a text, longest first from left to right."""
        return [span for _, span in self._matches(example)]

    def _index(self) -> None:
        longest: dict[str, int] = {}
        for surface in self._types:
            longest[surface[0]] = max(longest.get(surface[0], 0), len(surface))
        self._longest = longest

    def _matches(self, example: Example) -> Iterator[tuple[tuple[str, ...], Span]]:
        text = example.inputs["text"]
        places, _ = split_words(text, example.inputs.get("tokens"))
        words = [text[start:end] for start, end in places]
        at = 0
        while at < len(words):
            for length in range(min(self._longest.get(words[at], 0), len(words) - at), 0, -1):
                surface = tuple(words[at : at + length])
                if surface in self._types:
                    start, end = places[at][0], places[at + length - 1][1]
                    yield surface, {"start": start, "end": end, "label": self._types[surface]}
                    at += length
                    break
            else:
                at += 1


def _words(surface: str) -> tuple[str, ...]:
    return tuple(surface[start:end] for start, end in split_words(surface)[0])
