"""Stars as a regression: the torch half."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load_file, save_file

from engine.evaluation.intervals import MetricsFrom, Statistics
from engine.schema import Encoded, Example, Notice
from engine.tasks.model import EncoderTask, EvaluationData
from engine.tasks.pretrained_baseline import (
    BASELINE_FILE,
    ModelReader,
    Progress,
    missing_baseline,
    pooled_features,
)
from tests.contract.toy import decode
from tests.contract.toy.counts import metrics_from, statistics
from tests.contract.toy.decode import Scale
from tests.contract.toy.spec import StarsSpec

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from engine.models.load import LoadedModel


class MeanOfNeighbours:
    """The pretrained baseline: the mean stars of the five training sentences with the most similar features."""

    def __init__(self, features: np.ndarray, stars: np.ndarray):
        self._features, self._stars = features, stars

    @classmethod
    def fit(cls, reader: ModelReader[Any, Any], examples: Sequence[Example], seed: int) -> MeanOfNeighbours:
        features = pooled_features(reader, reader.encode(examples), len(examples))
        return cls(features.astype(np.float32), stars_of(examples).astype(np.float32))

    def predict(
        self,
        reader: ModelReader[Any, Any],
        examples: Sequence[Example],
        encoded: Any = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        features = pooled_features(reader, encoded or reader.encode(examples), len(examples), progress)
        nearest = np.argsort(np.linalg.norm(features[:, None] - self._features, axis=2), axis=1)[:, :5]
        return self._stars[nearest].mean(axis=1).astype(np.float64)

    def save(self, directory: Path) -> None:
        save_file({"features": self._features, "stars": self._stars}, directory / BASELINE_FILE)

    @classmethod
    def is_in(cls, directory: Path) -> bool:
        return (directory / BASELINE_FILE).is_file()

    @classmethod
    def load(cls, directory: Path) -> MeanOfNeighbours:
        if not cls.is_in(directory):
            raise missing_baseline("no_neighbours")
        tensors = load_file(directory / BASELINE_FILE)
        return cls(tensors["features"], tensors["stars"])


class Stars(EncoderTask[Scale, np.ndarray]):
    """Predictions are stars [examples]."""

    spec = StarsSpec()
    pretrained_baseline = MeanOfNeighbours

    def default_metric(self, outputs: Scale) -> str:
        return "within_half"

    def outputs(self, train: Sequence[Example]) -> Scale:
        return Scale()

    def outputs_from(self, values: dict[str, Any]) -> Scale:
        return decode.outputs_from(values)

    def load(
        self, source: str, outputs: Scale, *, revision: str = "", layers: int | None = None, **options: Any
    ) -> LoadedModel:
        from transformers import AutoModelForSequenceClassification

        from engine.models.load import load_encoder

        auto = AutoModelForSequenceClassification
        given = {"labels": ["stars"], "problem_type": "regression", "revision": revision, "layers": layers, **options}
        return load_encoder(source, auto, **given)

    def encode(
        self,
        examples: Sequence[Example],
        tokenizer: PreTrainedTokenizerBase,
        max_length: int | None,
        windows: bool = False,
    ) -> Encoded:
        return decode.encode(examples, tokenizer, max_length, windows)

    def attach_targets(self, encoded: Encoded, examples: Sequence[Example], outputs: Scale) -> list[Notice]:
        """The place on the scale, between 0 and 1."""
        for feature in encoded.features:
            stars = examples[feature.example].target
            feature.target = (stars - outputs.least) / (outputs.most - outputs.least)
        return []

    def read(self, model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return model(**batch).logits

    def loss(
        self,
        model: nn.Module,
        batch: dict[str, torch.Tensor],
        weights: torch.Tensor | None = None,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        from torch.nn import functional

        logits = self.read(model, {name: tensor for name, tensor in batch.items() if name != "labels"}).float()
        return functional.mse_loss(logits.squeeze(-1).sigmoid(), batch["labels"].float())

    def class_weights(self, examples: Sequence[Example], outputs: Scale) -> list[float]:
        return []

    def predict(self, logits: Sequence[np.ndarray], encoded: Encoded, count: int, outputs: Scale) -> np.ndarray:
        return decode.predict(logits, encoded, count, outputs)

    def evaluation_loss(self, examples: Sequence[Example], predictions: np.ndarray, outputs: Scale) -> float:
        return float((((predictions - stars_of(examples)) / (outputs.most - outputs.least)) ** 2).mean())

    def counts(self, examples: Sequence[Example], predictions: np.ndarray, outputs: Scale) -> Statistics:
        return statistics(stars_of(examples), predictions)

    def metrics_from(self, outputs: Scale) -> MetricsFrom:
        return metrics_from

    def answers(
        self, examples: Sequence[Example], predictions: np.ndarray, encoded: Encoded, outputs: Scale
    ) -> list[dict[str, Any]]:
        return decode.answers(examples, predictions, encoded, outputs)

    def cells(self, answers: Sequence[dict[str, Any] | None], outputs: Scale) -> dict[str, list[Any]]:
        return {"predicted_stars": [answer and answer["stars"] for answer in answers]}

    def report(self, data: EvaluationData[Scale, np.ndarray]) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
        from tests.contract.toy.report import build_report

        return build_report(data)


def stars_of(examples: Sequence[Example]) -> np.ndarray:
    return np.array([example.target for example in examples], dtype=np.float64)


TASK_MODEL = Stars
