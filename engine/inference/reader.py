"""A model with its tokenizer, device and maximum length: examples in, predictions out.

Validation during training, the test at the end, the page and the command line use the same reader, so that none of them can differ.
Knows what readers of all tasks have in common; does not know where a model came from.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from engine.config import RunConfig
from engine.inference.forward import ReadBatch, batch_of, forward, run
from engine.models.device import Device
from engine.models.speed.fast_paths import ALL
from engine.schema import Encoded, Example, Feature, Outputs
from engine.tasks.model import TaskModel

Progress = Callable[[int, int], None]
BATCH_SIZE = 256  # sequences of a batch, as far as the token budget of `forward` allows


@dataclass(slots=True)
class Reader(ABC):
    """`max_length` is in tokens; what happens to longer texts is up to the task."""

    task: TaskModel[Any, Any]
    outputs: Any
    model: nn.Module
    tokenizer: PreTrainedTokenizerBase
    device: Device
    max_length: int
    batch_size: int = BATCH_SIZE
    fast_paths: frozenset[str] = ALL  # by name; those of inference are used

    @staticmethod
    @abstractmethod
    def place(model: nn.Module, device: Device, half: bool = True) -> nn.Module:
        """The model on its device and, with `half`, in the device's number format."""

    @abstractmethod
    def prepare(self, examples: Sequence[Example], config: RunConfig) -> Outputs:
        """The outputs, once tokenizer and settings of the run are known. `examples` are the training rows."""

    @abstractmethod
    def input_tokens(self, positions: int) -> int:
        """Tokens of an input for a model with that many positions."""

    @abstractmethod
    def encode_to_learn(self, examples: Sequence[Example], max_length: int | None, windows: bool = False) -> Encoded:
        """Sequences of training rows; None cuts nothing. `TaskModel.attach_targets` adds the targets that are not in them yet."""

    @abstractmethod
    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Sequences to predict from."""

    @abstractmethod
    def predict(
        self, examples: Sequence[Example], encoded: Encoded | None = None, progress: Progress | None = None
    ) -> Any:
        """The task's predictions for the examples. `encoded` saves encoding them again."""

    @abstractmethod
    def assess(
        self, examples: Sequence[Example], encoded: Encoded, progress: Progress | None = None, briefly: bool = False
    ) -> tuple[float, dict[str, float], Any]:
        """Loss and metrics on validation rows, and the outputs with what those rows decide. `briefly` skips metrics that cost much more
        than the loss.
        """

    def forward(self, features: Sequence[Feature], read: ReadBatch | None = None) -> torch.Tensor:
        """The task's logits [b, ...] of one batch on the model's device. Gradients flow where the caller has them enabled: there is no
        inference mode, and the model is not switched to evaluation.
        """
        batch = batch_of(features, self.tokenizer.pad_token_id, self.device)
        return forward(self.model, batch, self.device, read or self.task.read)

    def run(
        self, encoded: Encoded, read: ReadBatch | None = None, progress: Progress | None = None
    ) -> list[np.ndarray]:
        """The task's logits, or what `read` takes from the model, of every feature, without gradients."""
        return run(
            self.model,
            encoded.features,
            self.tokenizer.pad_token_id,
            self.device,
            batch_size=self.batch_size,
            read=read or self.task.read,
            progress=progress,
        )
