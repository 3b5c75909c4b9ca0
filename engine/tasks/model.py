"""What the engine needs of a task that has a model: the torch half, beside the light half in `engine.tasks.spec`.

Knows the steps from examples to a report: outputs, model, encoding, targets, loss, predictions, metrics, answers. Does not know files,
devices, training loops or pages. `EncoderTask` adds what only encoders with a head need; `GenerativeTask` (engine/tasks/generative.py)
what only generative models need. PyTorch is imported where it is used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from engine.evaluation.intervals import MetricsFrom, Statistics
from engine.schema import Encoded, Example, Notice, Outputs

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from engine.models.load import LoadedModel
    from engine.tasks.pretrained_baseline import PretrainedBaseline
    from engine.tasks.spec import TaskSpec

OutputsT = TypeVar("OutputsT", bound=Outputs)
PredictionsT = TypeVar("PredictionsT")  # of some examples together: a list with one each, or an array with a row each


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """How a report is computed. `metric` "" takes the task's default, `baselines` tells whether to compare with them."""

    seed: int = 42
    bootstrap_samples: int = 1000
    metric: str = ""
    baselines: bool = True


@dataclass(slots=True)
class EvaluationData(Generic[OutputsT, PredictionsT]):
    """Everything a task may use to report on a model. The test rows were never used to choose anything.

    `predictions`, `pretrained_predictions` and `validation_predictions` are what the task's `predict` returned for the test rows (by
    the fine-tuned and the pretrained model) and for the validation rows, None where they were not predicted. `facts` is JSON-able:
    what was run, and how it went.
    """

    settings: EvaluationSettings
    outputs: OutputsT
    train: list[Example]
    validation: list[Example]
    test: list[Example]
    predictions: PredictionsT
    pretrained_predictions: PredictionsT | None
    validation_predictions: PredictionsT | None
    facts: dict[str, Any]


class TaskModel(ABC, Generic[OutputsT, PredictionsT]):
    """The torch half of a task. Implementations hold no state."""

    spec: ClassVar[TaskSpec]
    pretrained_baseline: ClassVar[type[PretrainedBaseline]]

    @abstractmethod
    def default_metric(self, outputs: OutputsT) -> str:
        """The metric that chooses the best checkpoint."""

    @abstractmethod
    def outputs(self, train: Sequence[Example]) -> OutputsT:
        """What a model can answer, from the training rows (LabelProblem)."""

    @abstractmethod
    def outputs_from(self, values: dict[str, Any]) -> OutputsT:
        """The inverse of `Outputs.to_dict`."""

    @abstractmethod
    def load(
        self, source: str, outputs: OutputsT, *, revision: str = "", layers: int | None = None, **options: Any
    ) -> LoadedModel:
        """A pretrained model for the outputs from a folder or a hub id (ModelProblem). `layers` keeps the first ones of an encoder;
        `options` are those of `load_encoder` or `load_generator`.
        """

    @abstractmethod
    def attach_targets(self, encoded: Encoded, examples: Sequence[Example], outputs: OutputsT) -> list[Notice]:
        """Give every feature of the training rows its target for the loss. Notices tell what could not be expressed."""

    @abstractmethod
    def read(self, model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """The model's logits (or probabilities) [b, ...] on a batch without targets."""

    @abstractmethod
    def loss(
        self,
        model: nn.Module,
        batch: dict[str, torch.Tensor],
        weights: torch.Tensor | None = None,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """The scalar to minimise on a batch with `labels`: the features' targets, as `collate` made them."""

    @abstractmethod
    def class_weights(self, examples: Sequence[Example], outputs: OutputsT) -> list[float]:
        """A weight for each label, higher for rarer ones; empty where there are no classes."""

    @abstractmethod
    def counts(self, examples: Sequence[Example], predictions: PredictionsT, outputs: OutputsT) -> Statistics:
        """Additive statistics [examples, k], from which every metric and its interval is computed."""

    @abstractmethod
    def metrics_from(self, outputs: OutputsT) -> MetricsFrom:
        """The function from sums of `counts` [..., k] to metrics [...]."""

    def score(self, examples: Sequence[Example], predictions: PredictionsT, outputs: OutputsT) -> dict[str, float]:
        """The task's metrics on examples, those of the spec's `metrics` that `metrics_from` computes."""
        values = self.metrics_from(outputs)(self.counts(examples, predictions, outputs).sum(axis=0))
        return {name: float(values[name]) for name in self.spec.metrics if name in values}

    @abstractmethod
    def answers(
        self, examples: Sequence[Example], predictions: PredictionsT, encoded: Encoded, outputs: OutputsT
    ) -> list[dict[str, Any]]:
        """Predictions as a person or a program reads them, one dictionary an example."""

    @abstractmethod
    def cells(self, answers: Sequence[dict[str, Any] | None], outputs: OutputsT) -> dict[str, list[Any]]:
        """The columns that a file of answers has beside its rows; None for a row without an answer."""

    @abstractmethod
    def report(self, data: EvaluationData[OutputsT, PredictionsT]) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
        """The report, and one record for each test row."""


class EncoderTask(TaskModel[OutputsT, PredictionsT]):
    """A task whose model is an encoder with a head: its predictions are decoded from the logits of one forward pass."""

    @abstractmethod
    def encode(
        self,
        examples: Sequence[Example],
        tokenizer: PreTrainedTokenizerBase,
        max_length: int | None,
        windows: bool = False,
    ) -> Encoded:
        """Token sequences; None cuts nothing, `windows` reads long texts in overlapping parts."""

    @abstractmethod
    def predict(self, logits: Sequence[np.ndarray], encoded: Any, count: int, outputs: OutputsT) -> PredictionsT:
        """Predictions for `count` examples from the logits of each feature, the windows of each example put together.

        Logits of single tokens come padded to their batch: the first `len(feature)` rows are the feature's.
        """

    def fit_postprocessing(self, examples: Sequence[Example], predictions: PredictionsT, outputs: OutputsT) -> OutputsT:
        """The outputs with what validation rows decide beside the weights, such as a threshold; unchanged by default."""
        return outputs

    @abstractmethod
    def evaluation_loss(self, examples: Sequence[Example], predictions: PredictionsT, outputs: OutputsT) -> float:
        """The loss on predicted rows, comparable with the training loss without smoothing."""


def task_model(spec: TaskSpec) -> TaskModel[Any, Any]:
    """The torch half of a task: `TASK_MODEL` in the module `model` beside the one that defines the spec, imported when first needed."""
    package = type(spec).__module__.rpartition(".")[0]
    model: TaskModel[Any, Any] = import_module(f"{package}.model").TASK_MODEL()
    return model
