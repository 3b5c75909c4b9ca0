"""Lenient scores of entities as nervaluate defines them (Batista 2018, after SemEval-2013 task 9.1, Segura-Bedmar et al. 2013).

Four readings of the same answers. `strict`: place and type must be right; `exact`: the place, whatever the type; `partial`: an
overlap, counted half where the place differs, whatever the type; `type`: an overlap of the right type. In each, an answer takes
the first true entity that it touches and that no earlier answer took, and is correct, incorrect or partial by that; an answer that touches none is spurious,
and a true entity that none took is missed. Knows spans; does not know texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.evaluation.intervals import Metrics, Statistics
from engine.tasks.ner.counts import Spans, ratio

CORRECT, INCORRECT, PARTIAL, MISSED, SPURIOUS = range(5)
OUTCOMES = ("correct", "incorrect", "partial", "missed", "spurious")
Span = dict[str, Any]


def _same_place(gold: Span, given: Span) -> bool:
    return gold["start"] == given["start"] and gold["end"] == given["end"]


def _same_type(gold: Span, given: Span) -> bool:
    return gold["label"] == given["label"]


# What an answer that touches a true entity is worth in each reading.
SCHEMAS: dict[str, Callable[[Span, Span], int]] = {
    "strict": lambda gold, given: CORRECT if _same_place(gold, given) and _same_type(gold, given) else INCORRECT,
    "exact": lambda gold, given: CORRECT if _same_place(gold, given) else INCORRECT,
    "partial": lambda gold, given: CORRECT if _same_place(gold, given) else PARTIAL,
    "type": lambda gold, given: CORRECT if _same_type(gold, given) else INCORRECT,
}


def outcomes(gold: Spans, given: Spans) -> dict[str, list[int]]:
    """The five counts (OUTCOMES) of one text in every reading."""
    gold, given = _in_order(gold), _in_order(given)
    taken: set[int] = set()
    pairs: list[tuple[Span, Span] | None] = []
    for answer in given:
        touched = next(
            (
                index
                for index, true in enumerate(gold)
                if index not in taken and true["start"] < answer["end"] and answer["start"] < true["end"]
            ),
            None,
        )
        if touched is None:
            pairs.append(None)
        else:
            taken.add(touched)
            pairs.append((gold[touched], answer))
    by_scheme = {}
    for name, worth in SCHEMAS.items():
        counts = [0] * len(OUTCOMES)
        for pair in pairs:
            counts[SPURIOUS if pair is None else worth(*pair)] += 1
        counts[MISSED] = len(gold) - len(taken)
        by_scheme[name] = counts
    return by_scheme


def statistics(gold: Sequence[Spans], given: Sequence[Spans]) -> Statistics:
    """Additive counts [n, 4 x 5], reading by reading."""
    rows = [
        [count for counts in outcomes(true, predicted).values() for count in counts]
        for true, predicted in zip(gold, given, strict=True)
    ]
    return np.array(rows, dtype=np.float64)


def metrics_from(sums: np.ndarray) -> Metrics:
    """Sums of `statistics` to precision, recall and F1 of each reading: {"strict.f1": [...], ...}."""
    metrics: Metrics = {}
    for number, name in enumerate(SCHEMAS):
        counts = sums[..., number * len(OUTCOMES) : (number + 1) * len(OUTCOMES)]
        correct, incorrect, partial, missed, spurious = (counts[..., outcome] for outcome in range(len(OUTCOMES)))
        credit = correct + 0.5 * partial
        precision = ratio(credit, correct + incorrect + partial + spurious)
        recall = ratio(credit, correct + incorrect + partial + missed)
        metrics[f"{name}.precision"], metrics[f"{name}.recall"] = precision, recall
        metrics[f"{name}.f1"] = ratio(2 * precision * recall, precision + recall)
    return metrics


def _in_order(spans: Spans) -> list[Span]:
    return sorted(spans, key=lambda span: (span["start"], span["end"]))
