"""The threshold for "no answer", against trying every one. Run: python -m pytest tests/engine/answering/test_threshold.py"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.qa.threshold import choose, curve

ROWS = st.lists(st.tuples(st.integers(-5, 5), st.sampled_from([0.0, 0.5, 1.0]), st.booleans()), min_size=1, max_size=30)


@given(ROWS)
def test_no_threshold_does_better(rows: list[tuple[int, float, bool]]) -> None:
    differences = np.array([float(row[0]) for row in rows])
    silent = np.array([float(row[2]) for row in rows])
    answered = np.array([0.0 if row[2] else row[1] for row in rows])
    chosen = choose(differences, answered, silent)

    def score(limit: float) -> float:
        return float(np.where(differences > limit, silent, answered).mean())

    assert score(chosen.value) == pytest.approx(chosen.score)
    assert chosen.score >= max(score(limit) for limit in np.arange(-7, 7, 0.25)) - 1e-12


def test_of_equally_good_thresholds_the_one_nearest_to_zero_is_taken() -> None:
    assert choose(np.array([-3.0, 3.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0])).value == 0.0
    assert choose(np.array([1.0, 3.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0])).value == 2.0


def test_the_curve_ends_with_always_silent_and_always_answered() -> None:
    values, means = curve(np.array([0.0, 1.0]), np.array([1.0, 0.5]), np.array([0.0, 1.0]))
    assert len(values) == len(means) == 3
    assert means[0] == pytest.approx(0.5) and means[-1] == pytest.approx(0.75) and means[1] == pytest.approx(1.0)
