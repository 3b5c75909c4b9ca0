"""Entities that the training rows had, and entities that are new: the second tell what the model learned beyond names.

An entity was seen when the training rows have the same text of the same type, case and blanks aside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.evaluation.intervals import Metrics, Statistics
from engine.schema import Example
from engine.tasks.ner.counts import Spans, places, scores

PARTS = ("seen", "new")


def known_entities(train: Sequence[Example]) -> set[tuple[str, str]]:
    """Text and type of every entity of the training rows."""
    return {
        (_normal(example.inputs["text"][span["start"] : span["end"]]), span["label"])
        for example in train
        for span in example.target
    }


def statistics(test: Sequence[Example], given: Sequence[Spans], known: set[tuple[str, str]]) -> Statistics:
    """Additive counts [n, 2 x 3]: hits, given and gold of seen entities, then of new ones."""
    counts = np.zeros((len(test), 6))
    for row, example, predicted in zip(counts, test, given, strict=True):
        text, true = example.inputs["text"], places(example.target)
        for start, end, label in true:
            row[2 + 3 * ((_normal(text[start:end]), label) not in known)] += 1
        for start, end, label in places(predicted):
            part = 3 * ((_normal(text[start:end]), label) not in known)
            row[1 + part] += 1
            row[part] += (start, end, label) in true
    return counts


def metrics_from(sums: np.ndarray) -> Metrics:
    """{"seen.f1": [...], "new.recall": [...], ...}"""
    metrics: Metrics = {}
    for number, name in enumerate(PARTS):
        hits, given, gold = (sums[..., 3 * number + column] for column in range(3))
        metrics |= {f"{name}.{metric}": value for metric, value in scores(hits, given, gold).items()}
    return metrics


def _normal(surface: str) -> str:
    return " ".join(surface.split()).casefold()
