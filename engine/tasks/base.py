"""What every task is made of.

A task knows its columns, how examples become model inputs, how outputs become predictions, and how predictions are scored.
It does not know files, devices, training or pages. `Example` is what the rest of the engine passes around.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from engine.schema import Encoded, Example, Outputs

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from engine.config import ModelConfig, RunConfig
    from engine.inference.reader import Reader
    from engine.models.load import LoadedModel
    from engine.schema import Notice
    from engine.tasks.spec import TaskSpec


@dataclass(slots=True)
class EvaluationData:
    """Everything a task may use to report on a model. The test rows were never used to choose anything.

    `predictions`, `untuned` and `validation_predictions` are what the task's `predict` returned for the test rows (by the
    tuned and the untuned model) and for the validation rows. `facts` is JSON-able: what was run, and how it went.
    """

    config: RunConfig
    outputs: Outputs
    train: list[Example]
    validation: list[Example]
    test: list[Example]
    predictions: Any
    untuned: Any | None
    validation_predictions: Any
    facts: dict[str, Any]


class Task(Protocol):
    """What the rest of the engine asks of a task. Implementations hold no state."""

    spec: TaskSpec
    reader: type[Reader]  # how a model of the task is asked (engine/inference/reader.py)
    untuned: type  # the pretrained model made able to answer without training (engine/tasks/pretrained_baseline.py)

    def default_metric(self, outputs: Outputs) -> str:
        """The metric that chooses the best checkpoint."""

    def outputs(self, train: Sequence[Example]) -> Outputs:
        """What a model can answer, from the training rows (LabelProblem)."""

    def outputs_from(self, values: dict[str, Any]) -> Outputs:
        """The inverse of `Outputs.to_dict`."""

    def load(self, source: str, outputs: Outputs, model: ModelConfig, **options: Any) -> LoadedModel:
        """A pretrained model with a head for the outputs (ModelProblem)."""

    def encode(
        self,
        examples: Sequence[Example],
        tokenizer: PreTrainedTokenizerBase,
        max_length: int | None,
        windows: bool = False,
    ) -> Encoded:
        """Token sequences; None cuts nothing, `windows` reads long texts in overlapping parts."""

    def attach_targets(self, encoded: Encoded, examples: Sequence[Example], outputs: Outputs) -> list[Notice]:
        """Give every feature of the training rows what the loss compares it with. Says what of it could not be expressed."""

    def read(self, model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """What the model says of a batch without targets, [b, ...]."""

    def loss(
        self,
        model: nn.Module,
        batch: dict[str, torch.Tensor],
        weights: torch.Tensor | None = None,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """The scalar to minimise on a batch with `labels`: the features' targets, as `collate` made them."""

    def class_weights(self, examples: Sequence[Example], outputs: Outputs) -> list[float]:
        """A weight for each label, higher for rarer ones."""

    def predict(self, logits: list[np.ndarray], encoded: Encoded, count: int, outputs: Outputs) -> Any:
        """Predictions for `count` examples from what `read` gave of each feature, the windows of each example put together.

        What is told of each token comes padded to its batch: the first `len(feature)` rows are the feature's.
        """

    def settle(self, examples: Sequence[Example], predictions: Any, outputs: Outputs) -> Outputs:
        """What the validation rows decide beside the weights, such as a threshold; `outputs` themselves where nothing is."""

    def evaluation_loss(self, examples: Sequence[Example], predictions: Any, outputs: Outputs) -> float:
        """The loss on rows that were predicted, comparable with the training loss without smoothing."""

    def counts(self, examples: Sequence[Example], predictions: Any, outputs: Outputs) -> np.ndarray:
        """Additive statistics [examples, k], from which every metric and its interval is computed."""

    def metrics_from(self, outputs: Outputs) -> Any:
        """The function from sums of `counts` [..., k] to metrics [...]."""

    def score(self, examples: Sequence[Example], predictions: Any, outputs: Outputs) -> dict[str, float]:
        """The task's metrics on examples."""

    def answers(
        self, examples: Sequence[Example], predictions: Any, encoded: Encoded, outputs: Outputs
    ) -> list[dict[str, Any]]:
        """Predictions as a person or a program reads them, one dictionary an example."""

    def cells(self, answers: Sequence[dict[str, Any] | None], outputs: Outputs) -> dict[str, list[Any]]:
        """The columns that a file of answers has beside its rows; None for a row without an answer."""

    def report(self, judgement: EvaluationData) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
        """The report, and one record for each test row."""
