"""A model that reads: examples in, the task's predictions out.

The same reading serves validation while training, the test at the end, the page and the command line, so that none of them
can differ. Knows a model, its tokenizer, device and length; does not know where they came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from engine.inference.forward import run
from engine.models.device import Device
from engine.tasks.base import Encoded, Example, Outputs, Task

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
