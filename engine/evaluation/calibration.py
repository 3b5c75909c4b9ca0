"""Whether a model's confidence can be taken at its word.

Knows probabilities and outcomes as arrays. Does not know labels, texts or reports.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BINS = 15
ROWS_PER_BIN = 10  # fewer rows give dots that jump about for no reason


def reliability(confidence: np.ndarray, correct: np.ndarray) -> list[dict[str, Any]]:
    """Bins of equal mass: rows sorted by confidence [n], cut into up to 15 groups of the same size.

    Tuned classifiers are mostly sure, so bins of equal width would leave most of them empty and the last one overfull; with
    equal mass every dot rests on as many rows (Nguyen & O'Connor 2015). Fewer bins where there are fewer than 150 rows.
    """
    count = min(BINS, max(1, len(confidence) // ROWS_PER_BIN))
    order = np.argsort(confidence, kind="stable")
    return [
        {
            "low": float(confidence[rows[0]]),
            "high": float(confidence[rows[-1]]),
            "confidence": float(confidence[rows].mean()),
            "accuracy": float(correct[rows].mean()),
            "count": len(rows),
        }
        for rows in np.array_split(order, count)
        if len(rows)
    ]


def expected_calibration_error(bins: list[dict[str, Any]]) -> float:
    """Mean distance between confidence and accuracy over the rows, bin by bin (Guo et al. 2017, equation 3)."""
    total = sum(part["count"] for part in bins)
    return sum(part["count"] * abs(part["confidence"] - part["accuracy"]) for part in bins) / total


def brier_score(probabilities: np.ndarray, outcomes: np.ndarray, multi_label: bool = False) -> float:
    """Mean squared error of probabilities [n, C] against 0/1 outcomes [n, C].

    Summed over the classes (Brier 1950: 0 is perfect, 2 is surely wrong); for several labels a row, averaged over them (0 to 1).
    """
    squared = (probabilities - outcomes) ** 2
    return float(squared.mean() if multi_label else squared.sum(axis=1).mean())
