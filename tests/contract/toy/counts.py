"""Additive statistics of stars, and the metrics that are their sums' functions."""

from __future__ import annotations

import numpy as np

from engine.evaluation.intervals import Metrics, Statistics

SPAN = 4.0  # from one star to five


def statistics(gold: np.ndarray, given: np.ndarray) -> Statistics:
    """[n, 3]: row, within half a star, closeness."""
    error = np.abs(gold - given)
    return np.stack([np.ones(len(gold)), error <= 0.5, 1 - error / SPAN], axis=1).astype(np.float64)


def metrics_from(sums: np.ndarray) -> Metrics:
    return {"within_half": sums[..., 1] / sums[..., 0], "closeness": sums[..., 2] / sums[..., 0]}
