"""Calibration measures what it says. Run: python -m pytest tests/engine/evaluation/test_calibration.py"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from engine.evaluation.calibration import brier_score, expected_calibration_error, reliability


def test_a_calibrated_model_has_almost_no_error():
    random = np.random.default_rng(0)
    sure = random.uniform(0.5, 1.0, 20_000)
    assert expected_calibration_error(reliability(sure, random.random(20_000) < sure)) < 0.015


def test_error_is_the_distance_between_sure_and_right():
    sure, right = np.full(1000, 0.95), np.arange(1000) % 10 < 7
    assert expected_calibration_error(reliability(sure, right)) == pytest.approx(0.25, abs=0.02)


def test_bins_hold_every_row_once_and_about_as_many_each():
    random = np.random.default_rng(1)
    sure = random.random(1003)
    bins = reliability(sure, random.random(1003) < 0.5)
    assert sum(part["count"] for part in bins) == 1003
    assert len(bins) == 15
    assert max(part["count"] for part in bins) - min(part["count"] for part in bins) <= 1
    assert all(a["high"] <= b["low"] for a, b in pairwise(bins))


def test_few_rows_make_few_bins():
    assert len(reliability(np.array([0.7]), np.array([True]))) == 1
    assert len(reliability(np.linspace(0.5, 1, 45), np.ones(45, dtype=bool))) == 4


def test_brier_is_scikit_learns():
    random = np.random.default_rng(2)
    probabilities = random.dirichlet(np.ones(4), size=50)
    targets = random.integers(0, 4, size=50)
    outcomes = targets[:, None] == np.arange(4)
    expected = brier_score_loss(targets, probabilities, labels=range(4), scale_by_half=False)
    assert brier_score(probabilities, outcomes) == pytest.approx(expected)
    assert brier_score(outcomes.astype(float), outcomes) == 0.0
    assert brier_score(1.0 - outcomes, outcomes, multi_label=True) == 1.0
