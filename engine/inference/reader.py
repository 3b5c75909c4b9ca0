"""A model that reads: examples in, the task's predictions out.

The same reading serves validation while training, the test at the end, the page and the command line, so that none of them
can differ. Knows a model, its tokenizer, device and length; does not know where they came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from engine.inference.forward import run
from engine.models.device import Device
from engine.models.speed.fast_paths import ALL
from engine.models.speed.half_precision_weights import cast_linear
from engine.schema import Encoded, Example, Outputs
from engine.tasks.base import Task

if TYPE_CHECKING:
    from engine.config import RunConfig

ReadBatch = Callable[[nn.Module, dict[str, torch.Tensor]], torch.Tensor]
Progress = Callable[[int, int], None]
BATCH_SIZE = 256  # sequences at once, as far as the token budget of `forward` allows


@dataclass(slots=True)
class Reader:
    """What is needed to read with one model. `max_length` is in tokens; longer texts are read in windows."""

    task: Task
    outputs: Outputs
    model: nn.Module
    tokenizer: PreTrainedTokenizerBase
    device: Device
    max_length: int
    batch_size: int = BATCH_SIZE
    fast_paths: frozenset[str] = ALL  # by name, as far as answering has any

    @staticmethod
    def ready(model: nn.Module, device: Device, half: bool = True) -> nn.Module:
        """The model where it answers and, with `half`, in the number format it answers in."""
        model = model.to(device.name).eval()
        if half and device.dtype != torch.float32:
            cast_linear(model, device.dtype)
        return model

    def prepare(self, examples: Sequence[Example], config: RunConfig) -> Outputs:
        """What the model can answer, once its tokenizer and the settings of the run are known. `examples` are the training rows."""
        return self.outputs

    def readable(self, positions: int) -> int:
        """Tokens that may be read by a model with that many positions."""
        return positions

    def encode_to_learn(self, examples: Sequence[Example], max_length: int | None, windows: bool = False) -> Encoded:
        """Sequences of training rows; None cuts nothing. `Task.attach_targets` adds what is not in them yet."""
        return self.task.encode(examples, self.tokenizer, max_length, windows=windows)

    def encode(self, examples: Sequence[Example]) -> Encoded:
        return self.task.encode(examples, self.tokenizer, self.max_length, windows=True)

    def run(
        self, encoded: Encoded, read: ReadBatch | None = None, progress: Progress | None = None
    ) -> list[np.ndarray]:
        """What the model says of every feature: the task's logits, or what `read` takes from it."""
        return run(
            self.model,
            encoded.features,
            self.tokenizer.pad_token_id,
            self.device,
            batch_size=self.batch_size,
            read=read or self.task.read,
            progress=progress,
        )

    def predict(
        self, examples: Sequence[Example], encoded: Encoded | None = None, progress: Progress | None = None
    ) -> Any:
        """The task's predictions, one for each example. `encoded` saves encoding them again."""
        encoded = encoded or self.encode(examples)
        return self.task.predict(self.run(encoded, progress=progress), encoded, len(examples), self.outputs)

    def assess(
        self, examples: Sequence[Example], encoded: Encoded, progress: Progress | None = None, briefly: bool = False
    ) -> tuple[float, dict[str, float], Outputs]:
        """Loss and metrics on validation rows, and the outputs with what those rows decide. `briefly` only what is cheap beside the loss."""
        predictions = self.predict(examples, encoded, progress)
        outputs = self.task.settle(examples, predictions, self.outputs)
        loss = self.task.evaluation_loss(examples, predictions, outputs)
        return loss, self.task.score(examples, predictions, outputs), outputs
