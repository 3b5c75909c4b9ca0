"""What went wrong with each entity: missed, invented, the wrong type, the wrong boundary, or both.

Every true entity and every answer belongs to one error at most. Knows spans; does not know texts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.tasks.ner.counts import Spans

RIGHT = "right"
KINDS = ("missed", "invented", "type", "boundary", "both")
Span = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Match:
    """A true entity and the answer to it; one of them None where there was no answer, or no entity."""

    kind: str
    gold: Span | None
    given: Span | None

    @property
    def types(self) -> tuple[str, str]:
        """The true type and the type given, empty where there is none."""
        return (self.gold or {}).get("label", ""), (self.given or {}).get("label", "")

    @property
    def place(self) -> tuple[int, int]:
        """What both cover."""
        spans = [span for span in (self.gold, self.given) if span is not None]
        return min(span["start"] for span in spans), max(span["end"] for span in spans)


def compare(gold: Spans, given: Spans) -> list[Match]:
    """Every true entity and every answer, in the order of the text.

    Pairs are made once each, the closest first: the same in both respects, the same place, an overlap of the same type, any
    overlap; the longer overlap before the shorter.
    """
    left_gold, left_given = _different(gold), _different(given)
    matches: list[Match] = []

    def pair(kind: str, fits: Callable[[Span, Span], bool]) -> None:
        candidates = sorted(
            (
                (-_overlap(true, predicted), true["start"], predicted["start"], i, j)
                for i, true in enumerate(left_gold)
                for j, predicted in enumerate(left_given)
                if fits(true, predicted)
            ),
        )
        used_gold: set[int] = set()
        used_given: set[int] = set()
        for *_, i, j in candidates:
            if i not in used_gold and j not in used_given:
                used_gold.add(i)
                used_given.add(j)
                matches.append(Match(kind, left_gold[i], left_given[j]))
        left_gold[:] = [span for i, span in enumerate(left_gold) if i not in used_gold]
        left_given[:] = [span for j, span in enumerate(left_given) if j not in used_given]

    pair(RIGHT, lambda true, predicted: _place(true) == _place(predicted) and true["label"] == predicted["label"])
    pair("type", lambda true, predicted: _place(true) == _place(predicted))
    pair("boundary", lambda true, predicted: _overlap(true, predicted) > 0 and true["label"] == predicted["label"])
    pair("both", lambda true, predicted: _overlap(true, predicted) > 0)
    matches += [Match("missed", span, None) for span in left_gold]
    matches += [Match("invented", None, span) for span in left_given]
    return sorted(matches, key=lambda match: match.place)


def _different(spans: Spans) -> list[Span]:
    """Each span once."""
    return list({(span["start"], span["end"], span["label"]): span for span in spans}.values())


def _place(span: Span) -> tuple[int, int]:
    return span["start"], span["end"]


def _overlap(one: Span, other: Span) -> int:
    return min(one["end"], other["end"]) - max(one["start"], other["start"])
