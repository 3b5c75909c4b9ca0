"""Which evaluation is the best one. Run: python -m pytest tests/engine/training/test_progress.py"""

from __future__ import annotations

import math

import pytest

from engine.training.progress import Progress


@pytest.mark.parametrize(
    ("value", "loss", "best"),
    [
        (0.91, 9.0, True),  # the score decides
        (0.89, 0.1, False),
        (0.90, 0.4, True),  # among equals the loss does
        (0.90, 0.5, False),
        (0.90, math.nan, False),
    ],
)
def test_of_equal_scores_the_one_with_less_loss_is_better(value, loss, best):
    assert Progress("accuracy", best_value=0.9, best_loss=0.5).is_best(value, loss) is best


def test_the_first_evaluation_is_the_best_so_far_whatever_it_found():
    assert Progress("f1").is_best(0.0, 12.0)
    assert Progress("f1").is_best(0.0, math.nan)
