"""The reader of encoder tasks: logits of one forward pass, decoded by the task.

Knows the order of encoding, forward pass and decoding; does not know what the logits mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.config import RunConfig
from engine.inference.reader import Progress, Reader
from engine.models.device import Device
from engine.models.speed.half_precision_weights import cast_linear
from engine.schema import Encoded, Example, Outputs
from engine.tasks.model import EncoderTask


@dataclass(slots=True)
class EncoderReader(Reader):
    """Texts longer than `max_length` are read in windows."""

    task: EncoderTask[Any, Any]

    @staticmethod
    def place(model: nn.Module, device: Device, half: bool = True) -> nn.Module:
        model = model.to(device.name).eval()
        if half and device.dtype != torch.float32:
            cast_linear(model, device.dtype)
        return model

    def prepare(self, examples: Sequence[Example], config: RunConfig) -> Outputs:
        return self.outputs

    def input_tokens(self, positions: int) -> int:
        return positions

    def encode_to_learn(self, examples: Sequence[Example], max_length: int | None, windows: bool = False) -> Encoded:
        return self.task.encode(examples, self.tokenizer, max_length, windows=windows)

    def encode(self, examples: Sequence[Example]) -> Encoded:
        return self.task.encode(examples, self.tokenizer, self.max_length, windows=True)

    def predict(
        self, examples: Sequence[Example], encoded: Encoded | None = None, progress: Progress | None = None
    ) -> Any:
        encoded = encoded or self.encode(examples)
        return self.task.predict(self.run(encoded, progress=progress), encoded, len(examples), self.outputs)

    def assess(
        self, examples: Sequence[Example], encoded: Encoded, progress: Progress | None = None, briefly: bool = False
    ) -> tuple[float, dict[str, float], Any]:
        predictions = self.predict(examples, encoded, progress)
        outputs = self.task.fit_postprocessing(examples, predictions, self.outputs)
        loss = self.task.evaluation_loss(examples, predictions, outputs)
        return loss, self.task.score(examples, predictions, outputs), outputs
