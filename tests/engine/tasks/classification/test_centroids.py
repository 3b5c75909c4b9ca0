"""The untuned model as a nearest-centroid classifier. Run: python -m pytest tests/engine/inference/test_untuned.py"""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.errors import FileProblem
from engine.tasks.classification.pretrained_baseline import EXAMPLES_PER_CLASS, Centroids, sample_for_centroids

RANDOM = np.random.default_rng(0)


def clouds(classes: int, each: int = 40, hidden: int = 8) -> tuple[np.ndarray, np.ndarray]:
    centres = RANDOM.normal(size=(classes, hidden)) * 4
    targets = np.repeat(np.arange(classes), each)
    return centres[targets] + RANDOM.normal(size=(len(targets), hidden)), targets


def test_it_finds_clouds_that_lie_apart():
    features, targets = clouds(4)
    probabilities = Centroids.fit(features, targets).probabilities(features)
    assert probabilities.shape == (160, 4)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == targets).mean() > 0.95


def test_several_labels_are_judged_apart():
    features, which = clouds(4)
    targets = np.stack([which == 0, (which == 1) | (which == 0), np.zeros(len(which), bool)], axis=1)
    probabilities = Centroids.fit(features, targets).probabilities(features)
    assert ((probabilities[:, :2] >= 0.5) == targets[:, :2]).mean() > 0.9
    # Of a label that no text has, nothing is known.
    assert np.allclose(probabilities[:, 2], 0.5)


def test_saved_and_loaded(tmp_path):
    features, targets = clouds(3)
    fitted = Centroids.fit(features, targets)
    fitted.save(tmp_path / "untuned.safetensors")
    again = Centroids.load(tmp_path / "untuned.safetensors")
    assert np.allclose(again.probabilities(features), fitted.probabilities(features), atol=1e-4)
    with pytest.raises(FileProblem):
        Centroids.load(tmp_path / "none.safetensors")


def test_the_sample_holds_every_class_and_not_too_many_of_any():
    targets = np.array([0] * 500 + [1] * 3 + [2] * 60)
    chosen = sample_for_centroids(targets, seed=1)
    counts = np.bincount(targets[chosen])
    assert counts.tolist() == [EXAMPLES_PER_CLASS, 3, EXAMPLES_PER_CLASS]
    assert np.array_equal(chosen, sample_for_centroids(targets, seed=1))
