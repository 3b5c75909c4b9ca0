"""The metrics are scikit-learn's, to the last digit that matters. Run: python -m pytest tests/engine/evaluation/test_counts.py"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support, roc_auc_score

from engine.tasks.classification.counts import (
    class_metrics_from_counts,
    metrics_from_counts,
    ranking_metrics,
    statistics,
)
from tests.engine.evaluation.answers import probabilities_for


def scores(targets: np.ndarray, probabilities: np.ndarray, unseen: np.ndarray | None = None) -> dict[str, float]:
    counts = statistics(targets, probabilities, unseen).sum(axis=0)
    return {
        name: float(value)
        for name, value in metrics_from_counts(probabilities.shape[1], targets.ndim == 2)(counts).items()
    }


@st.composite
def answered(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    classes = draw(st.integers(2, 7))
    rows = draw(st.integers(1, 40))
    label = st.integers(0, classes - 1)
    targets = draw(
        st.lists(st.one_of(label, st.just(-1)) if draw(st.booleans()) else label, min_size=rows, max_size=rows)
    )
    answers = draw(st.lists(label, min_size=rows, max_size=rows))
    return np.array(targets), np.array(answers), classes


@settings(max_examples=200, deadline=None)
@given(answered())
def test_one_label_equals_scikit_learn(case: tuple[np.ndarray, np.ndarray, int]):
    targets, answers, classes = case
    result = scores(targets, probabilities_for(answers, classes))
    assert result["accuracy"] == pytest.approx(accuracy_score(targets, answers), abs=1e-12)
    for average in ("macro", "micro", "weighted"):
        expected = f1_score(targets, answers, average=average)
        assert result[f"{average}_f1"] == pytest.approx(expected, abs=1e-12), average


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 6), st.integers(1, 30), st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_several_labels_equal_scikit_learn(classes: int, rows: int, seed: int, share: float):
    random = np.random.default_rng(seed)
    targets, probabilities = random.random((rows, classes)) < share, random.random((rows, classes))
    given_labels = probabilities >= 0.5
    result = scores(targets, probabilities)
    assert result["accuracy"] == pytest.approx(accuracy_score(targets, given_labels), abs=1e-12)
    for average in ("macro", "micro", "weighted"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = f1_score(targets, given_labels, average=average, zero_division=np.nan)
        # Nothing to find and nothing given: scikit-learn has no number for it, the report says 0.
        assert result[f"{average}_f1"] == pytest.approx(0.0 if np.isnan(expected) else expected, abs=1e-12), average


@settings(max_examples=100, deadline=None)
@given(answered())
def test_each_class_equals_scikit_learn(case: tuple[np.ndarray, np.ndarray, int]):
    targets, answers, classes = case
    counts = statistics(targets, probabilities_for(answers, classes)).sum(axis=0)
    result = class_metrics_from_counts(classes)(counts)
    expected = precision_recall_fscore_support(targets, answers, labels=range(classes), zero_division=np.nan)
    for name, values in zip(("precision", "recall", "f1"), expected, strict=False):
        np.testing.assert_allclose(result[name], values, atol=1e-12, err_msg=name)


def test_leading_axes_are_kept():
    random = np.random.default_rng(0)
    sums = random.integers(1, 9, size=(4, 5, 3 + 3 * 2)).astype(float)
    result = metrics_from_counts(2, False)(sums)
    assert {values.shape for values in result.values()} == {(4, 5)}
    for i, j in np.ndindex(4, 5):
        alone = metrics_from_counts(2, False)(sums[i, j])
        assert all(result[name][i, j] == alone[name] for name in result)


def test_a_row_with_an_unseen_label_is_never_right():
    gold = np.array([[True, False], [True, False]])
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1]])
    assert scores(gold, probabilities)["accuracy"] == 1.0
    result = scores(gold, probabilities, unseen=np.array([0, 1]))
    assert result["accuracy"] == 0.5
    assert result["micro_f1"] == pytest.approx(2 * 2 / (2 + 3))


def test_ranking_skips_classes_that_have_no_second_kind_of_row():
    targets = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1, 0.0], [0.4, 0.6, 0.0], [0.3, 0.7, 0.0], [0.45, 0.55, 0.0]])
    result = ranking_metrics(targets, probabilities)
    assert result["roc_auc"] == pytest.approx(roc_auc_score(targets == 1, probabilities[:, 1]))
    assert ranking_metrics(np.array([1, 1, 1, 1]), probabilities) == {}
