"""Scores of answers as additive statistics: one row a question.

Knows answers as texts. Does not know models or thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.intervals import Metrics, Statistics
from engine.tasks.qa.match import is_chinese, match, reference_texts

if TYPE_CHECKING:
    from engine.schema import Example

METRICS = ("f1", "exact_match")


def statistics(examples: Sequence[Example], texts: Sequence[str]) -> Statistics:
    """[n, 3]: one, exact match and F1 of each question. `texts` are the answers, empty for "no answer"."""
    rows = np.ones((len(examples), 3))
    for row, example, text in zip(rows, examples, texts, strict=True):
        chinese = is_chinese(example.inputs["context"], example.inputs["question"])
        row[1:] = match(text, reference_texts(example.target), chinese)
    return rows


def metrics_from(sums: np.ndarray) -> Metrics:
    """Sums of `statistics` [..., 3] to the metrics [...]."""
    rows = np.maximum(sums[..., 0], 1)
    return {"f1": sums[..., 2] / rows, "exact_match": sums[..., 1] / rows}
