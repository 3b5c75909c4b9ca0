"""Intervals cover, comparisons are paired and fair. Run: python -m pytest tests/engine/evaluation/test_intervals.py"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from engine.evaluation import intervals
from engine.evaluation.intervals import bootstrap, interval, paired_difference, resample


def share(sums: np.ndarray) -> dict[str, np.ndarray]:
    return {"share": sums[..., 1] / sums[..., 0]}


def rows(right: np.ndarray) -> np.ndarray:
    return np.stack([np.ones(len(right)), right], axis=1).astype(float)


def test_interval_agrees_with_the_normal_approximation():
    result = bootstrap(rows(np.arange(1000) < 800), share, samples=4000)["share"]
    half = 1.96 * np.sqrt(0.8 * 0.2 / 1000)
    assert result.value == 0.8
    assert result.low == pytest.approx(0.8 - half, abs=0.003)
    assert result.high == pytest.approx(0.8 + half, abs=0.003)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(7)
    result = [bootstrap(rows(random.random(150) < 0.7), share, 400, 0.9, seed)["share"] for seed in range(300)]
    covered = np.mean([part.low <= 0.7 <= part.high for part in result])
    assert 0.84 <= covered <= 0.96


def test_wider_confidence_gives_a_wider_interval():
    statistics = rows(np.arange(100) < 70)
    narrow, wide = (bootstrap(statistics, share, confidence=level)["share"] for level in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_all_right_is_not_proof_of_perfection():
    result = bootstrap(rows(np.ones(5)), share)["share"]
    assert result.value == result.high == 1.0
    assert result.low == pytest.approx(binomtest(5, 5).proportion_ci(0.95).low)


def test_all_wrong_is_not_proof_of_hopelessness():
    result = bootstrap(rows(np.zeros(8)), share)["share"]
    assert result.value == result.low == 0.0
    assert result.high == pytest.approx(binomtest(0, 8).proportion_ci(0.95).high)


def test_undefined_resamples_are_left_out():
    result = interval(0.5, np.array([0.4, np.nan, 0.6]), 10, 0.95)
    assert 0.4 <= result.low <= result.high <= 0.6
    assert np.isnan(interval(float("nan"), np.array([np.nan]), 10, 0.95).low)


def test_same_seed_same_resamples_whatever_the_chunks(monkeypatch: pytest.MonkeyPatch):
    statistics = rows(np.random.default_rng(0).random(50) < 0.5)
    whole = resample(statistics, share, 101, seed=3)["share"]
    monkeypatch.setattr(intervals, "_CHUNK_BYTES", 50 * 8 * 7)
    parts = resample(statistics, share, 101, seed=3)["share"]
    assert len(whole) == len(parts) == 101
    np.testing.assert_array_equal(whole, parts)


def test_every_resample_draws_as_many_rows():
    drawn = resample(rows(np.ones(37)), lambda sums: {"n": sums[..., 0]}, 200, seed=1)["n"]
    assert set(drawn) == {37.0}


def test_difference_is_antisymmetric():
    random = np.random.default_rng(2)
    a, b = rows(random.random(300) < 0.8), rows(random.random(300) < 0.7)
    ahead, behind = (paired_difference(x, y, share, "share") for x, y in ((a, b), (b, a)))
    assert ahead.value == -behind.value
    assert ahead.low == pytest.approx(-behind.high)
    assert ahead.high == pytest.approx(-behind.low)
    assert ahead.p_value == behind.p_value


def test_a_system_equals_itself():
    a = rows(np.arange(40) < 30)
    same = paired_difference(a, a, share, "share")
    assert (same.value, same.low, same.high, same.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_p_value_is_that_of_mcnemar():
    """12 rows only the first has right, 3 only the second: the exact test is a sign test on 15 coins."""
    a = rows(np.r_[np.ones(12), np.zeros(3), np.ones(85)])
    b = rows(np.r_[np.zeros(12), np.ones(3), np.ones(85)])
    result = paired_difference(a, b, share, "share", samples=20_000)
    assert result.p_value == pytest.approx(binomtest(3, 15).pvalue, abs=0.005)


def test_pairing_finds_what_two_separate_intervals_hide():
    random = np.random.default_rng(5)
    worse = random.random(400) < 0.6
    better = worse | (random.random(400) < 0.08)
    a, b = rows(better), rows(worse)
    alone = [bootstrap(part, share)["share"] for part in (a, b)]
    assert alone[1].high > alone[0].low
    assert paired_difference(a, b, share, "share").is_better(0.95)


def test_few_rows_prove_nothing_even_when_all_agree():
    """Three rows won, none lost: the bootstrap interval lies above zero or touches it, the exact test knows better."""
    a, b = rows(np.ones(5)), rows(np.array([0, 0, 0, 1, 1]))
    result = paired_difference(a, b, share, "share", samples=2000)
    assert result.value == pytest.approx(0.6)
    assert result.p_value > 0.2
    assert not result.is_better(0.95)


def test_p_values_are_uniform_when_nothing_differs():
    random = np.random.default_rng(11)
    result = []
    for seed in range(200):
        a, b = (rows(random.normal(size=60)) for _ in range(2))
        result.append(paired_difference(a, b, share, "share", samples=200, seed=seed).p_value)
    for level in (0.1, 0.25, 0.5, 0.75):
        assert np.mean(np.array(result) <= level) == pytest.approx(level, abs=0.1)


def test_different_rows_are_refused():
    with pytest.raises(ValueError, match="same examples"):
        paired_difference(rows(np.ones(3)), rows(np.ones(4)), share, "share")
    with pytest.raises(ValueError, match="nothing to resample"):
        resample(np.zeros((0, 2)), share, 10, 0)
