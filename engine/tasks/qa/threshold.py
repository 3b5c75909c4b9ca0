"""The threshold of "no answer": SQuAD 2.0's, on the difference of the two scores.

Knows differences and scores. Does not know texts or models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Threshold:
    """Above `value` the answer is "none". `score` is the mean score it gives on the rows it was chosen on."""

    value: float
    score: float


def curve(differences: np.ndarray, answered: np.ndarray, empty: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every threshold that matters, ascending, and the mean score under each.

    `differences` [n] are null score less best span's; `answered` [n] is the score of a question when its best span is given,
    `empty` [n] when "no answer" is. The thresholds lie halfway between neighbouring differences, and beyond both ends.
    """
    order = np.argsort(differences, kind="stable")
    ordered = differences[order]
    gained = np.concatenate([[0.0], np.cumsum(answered[order])])
    unanswered = np.concatenate([np.cumsum(empty[order][::-1])[::-1], [0.0]])
    means = (gained + unanswered) / max(1, len(differences))
    if not len(ordered):
        return np.array([0.0]), means
    between = (ordered[1:] + ordered[:-1]) / 2
    return np.concatenate([[ordered[0] - 1.0], between, [ordered[-1] + 1.0]]), means


def choose(differences: np.ndarray, answered: np.ndarray, empty: np.ndarray) -> Threshold:
    """The threshold with the best mean score; of several, the one nearest to 0, where both scores are equal."""
    # No threshold separates rows with the same difference: only the last one among equals can be used.
    values, means = curve(differences, answered, empty)
    ordered = np.sort(differences)
    usable = np.ones(len(values), dtype=bool)
    usable[1:-1] = ordered[1:] > ordered[:-1]
    best = means[usable].max()
    candidates = values[usable & (means >= best - 1e-12)]
    return Threshold(float(candidates[np.argmin(np.abs(candidates))]), float(best))
