"""The pretrained baseline of classifiers: frozen features with the nearest class centroid (Snell et al. 2017).

No gradient step is taken, so that it shows what the pretrained model knows already. Knows features and centroids; does not know where
the model or the examples come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file, save_file

from engine.schema import Encoded, Example
from engine.tasks.classification.counts import class_targets
from engine.tasks.classification.decode import Classes
from engine.tasks.pretrained_baseline import BASELINE_FILE, ModelReader, Progress, missing_baseline, pooled_features

if TYPE_CHECKING:
    from engine.tasks.model import EncoderTask

EXAMPLES_PER_CLASS = 50  # centroids hardly move beyond that, and the training rows may be many
# Cosines of one encoder's sentences lie close together; their differences become probabilities at this temperature.
TEMPERATURE = 0.05


class NearestCentroid:
    """The pretrained baseline of a classification run, kept beside its fine-tuned model."""

    def __init__(self, centroids: Centroids):
        self._centroids = centroids

    @classmethod
    def fit(
        cls, reader: ModelReader[EncoderTask[Classes, np.ndarray], Classes], examples: Sequence[Example], seed: int
    ) -> NearestCentroid:
        """`reader` reads with the pretrained model; `examples` are the training rows."""
        classes = reader.outputs
        targets = class_targets(examples, classes.labels, classes.multi_label)
        chosen = sample_for_centroids(targets, seed)
        sample = [examples[index] for index in chosen]
        return cls(Centroids.fit(pooled_features(reader, reader.encode(sample), len(sample)), targets[chosen]))

    def predict(
        self,
        reader: ModelReader[EncoderTask[Classes, np.ndarray], Classes],
        examples: Sequence[Example],
        encoded: Encoded | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """Probabilities [examples, classes]."""
        encoded = encoded or reader.encode(examples)
        return self._centroids.probabilities(pooled_features(reader, encoded, len(examples), progress))

    def save(self, directory: Path) -> None:
        self._centroids.save(directory / BASELINE_FILE)

    @classmethod
    def is_in(cls, directory: Path) -> bool:
        return (directory / BASELINE_FILE).is_file()

    @classmethod
    def load(cls, directory: Path) -> NearestCentroid:
        return cls(Centroids.load(directory / BASELINE_FILE))


class Centroids:
    """Class centroids of unit features, [classes, hidden]; for several labels a text also those of the texts without."""

    def __init__(self, inside: np.ndarray, outside: np.ndarray | None = None):
        self.inside = inside
        self.outside = outside

    @classmethod
    def fit(cls, features: np.ndarray, targets: np.ndarray) -> Centroids:
        """`features` [n, hidden]; `targets` class indices [n], or a boolean matrix [n, classes]."""
        unit = _unit(features)
        if targets.ndim == 1:
            classes = int(targets.max()) + 1
            return cls(_unit(np.stack([unit[targets == c].mean(axis=0) for c in range(classes)])))
        everything = unit.mean(axis=0)
        inside, outside = [], []
        for column in targets.T:
            inside.append(unit[column].mean(axis=0) if column.any() else everything)
            outside.append(unit[~column].mean(axis=0) if (~column).any() else everything)
        return cls(_unit(np.stack(inside)), _unit(np.stack(outside)))

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """[n, hidden] to [n, classes]: a softmax over the cosines, or for each class in against out."""
        unit = _unit(features)
        scores = unit @ self.inside.T / TEMPERATURE
        if self.outside is not None:
            return 1.0 / (1.0 + np.exp(unit @ self.outside.T / TEMPERATURE - scores))
        scores -= scores.max(axis=1, keepdims=True)
        exponents = np.exp(scores)
        return exponents / exponents.sum(axis=1, keepdims=True)

    def save(self, path: Path) -> None:
        tensors = {"inside": self.inside.astype(np.float32)}
        if self.outside is not None:
            tensors["outside"] = self.outside.astype(np.float32)
        save_file(tensors, path)

    @classmethod
    def load(cls, path: Path) -> Centroids:
        if not path.is_file():
            raise missing_baseline("no_centroids")
        tensors = load_file(path)
        return cls(tensors["inside"], tensors.get("outside"))


def sample_for_centroids(targets: np.ndarray, seed: int) -> np.ndarray:
    """Indices of at most EXAMPLES_PER_CLASS examples of every class, sorted."""
    random = np.random.default_rng(seed)
    chosen: set[int] = set()
    columns: Sequence[np.ndarray] = (
        [np.flatnonzero(targets == c) for c in np.unique(targets)]
        if targets.ndim == 1
        else [np.flatnonzero(column) for column in targets.T] + [np.flatnonzero(~targets.any(axis=1))]
    )
    for members in columns:
        chosen.update(random.permutation(members)[:EXAMPLES_PER_CLASS].tolist())
    return np.array(sorted(chosen), dtype=np.int64)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
