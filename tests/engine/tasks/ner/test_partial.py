"""Lenient scores against tables worked out by hand from nervaluate's definitions.

Each case: the true entities, the answers, and for each reading correct, incorrect, partial, missed, spurious.
Run: python -m pytest tests/engine/evaluation/ner/test_partial.py
"""

from __future__ import annotations

import numpy as np
import pytest

from engine.tasks.ner.partial import OUTCOMES, SCHEMAS, metrics_from, outcomes, statistics


def s(start: int, end: int, label: str = "LOC") -> dict:
    return {"start": start, "end": end, "label": label}


TABLE = {
    #                                                  strict           exact            partial          type
    "right": ([s(0, 5)], [s(0, 5)],                    [1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0]),
    "missed": ([s(0, 5)], [],                          [0, 0, 0, 1, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 0]),
    "spurious": ([], [s(0, 5)],                        [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]),
    "wrong type": ([s(0, 5)], [s(0, 5, "PER")],        [0, 1, 0, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 0, 0]),
    "wrong edge": ([s(0, 5)], [s(0, 4)],               [0, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [1, 0, 0, 0, 0]),
    "both wrong": ([s(0, 5)], [s(2, 8, "PER")],        [0, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0]),
    "side by side": ([s(0, 5)], [s(5, 8)],             [0, 0, 0, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 1, 1]),
    "one answer for two": ([s(0, 3), s(4, 8)], [s(0, 8)], [0, 1, 0, 1, 0], [0, 1, 0, 1, 0], [0, 0, 1, 1, 0], [1, 0, 0, 1, 0]),
    "two answers for one": ([s(0, 8)], [s(0, 3), s(4, 8)], [0, 1, 0, 0, 1], [0, 1, 0, 0, 1], [0, 0, 1, 0, 1], [1, 0, 0, 0, 1]),
    "several": ([s(0, 3), s(5, 9, "PER"), s(12, 15)], [s(0, 3), s(5, 8, "PER"), s(20, 22)],
                                                       [1, 1, 0, 1, 1], [1, 1, 0, 1, 1], [1, 0, 1, 1, 1], [2, 0, 0, 1, 1]),
    "nothing": ([], [],                                [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_outcomes_worked_by_hand(name):
    gold, given, *expected = TABLE[name]
    assert outcomes(gold, given) == dict(zip(SCHEMAS, expected, strict=True))
    assert outcomes(gold[::-1], given[::-1]) == dict(zip(SCHEMAS, expected, strict=True)), (
        "the order given plays no part"
    )


def test_scores_worked_by_hand():
    gold, given, *_ = TABLE["several"]
    metrics = {name: float(value) for name, value in metrics_from(statistics([gold], [given]).sum(axis=0)).items()}
    assert metrics["strict.precision"] == pytest.approx(1 / 3) and metrics["strict.recall"] == pytest.approx(1 / 3)
    assert metrics["partial.precision"] == pytest.approx(1.5 / 3) and metrics["partial.f1"] == pytest.approx(0.5)
    assert metrics["type.recall"] == pytest.approx(2 / 3) and metrics["exact.f1"] == pytest.approx(1 / 3)


def test_counts_add_up_over_texts_and_nothing_gives_zero():
    rows = statistics([case[0] for case in TABLE.values()], [case[1] for case in TABLE.values()])
    totals = rows.sum(axis=0).reshape(len(SCHEMAS), len(OUTCOMES))
    for number in range(len(SCHEMAS)):
        assert totals[number].tolist() == np.sum([case[2 + number] for case in TABLE.values()], axis=0).tolist()
    assert set(map(float, metrics_from(np.zeros(20)).values())) == {0.0}
