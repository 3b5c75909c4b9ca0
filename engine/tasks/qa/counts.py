"""Scores of answers as additive statistics: one row a question.

Knows answers as texts. Does not know models or thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.intervals import Metrics, Statistics
from engine.tasks.qa.decode import span_text
from engine.tasks.qa.match import is_chinese, match, reference_texts
from engine.tasks.qa.spans import Prediction

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


def threshold_scores(
    examples: Sequence[Example], predictions: Sequence[Prediction]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each row the score difference, and the F1 with its best span and with "no answer": what a threshold is chosen by."""
    best = [span_text(example, prediction.spans[:1]) for example, prediction in zip(examples, predictions, strict=True)]
    # Infinite where there is no span: the answer is then empty under any threshold.
    differences = np.array([min(prediction.difference, 1e6) for prediction in predictions])
    return (
        differences,
        statistics(examples, best)[:, 2],
        np.array([float(not example.target) for example in examples]),
    )
