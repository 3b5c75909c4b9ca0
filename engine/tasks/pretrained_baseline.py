"""The pretrained model made able to answer without a gradient step: what the baselines of all tasks have in common.

Knows the interface of such a baseline, and the part of a model reader (engine/inference/reader.py) that it uses. The baselines
themselves stand with their tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.schema import Encoded, Example

if TYPE_CHECKING:
    import torch
    from torch import nn

    from engine.models.unwrap import FamilyModule

BASELINE_FILE = "untuned.safetensors"  # in the folder of the fine-tuned model; saved runs have this name
Progress = Callable[[int, int], None]  # takes (done, total)
TaskT_co = TypeVar("TaskT_co", covariant=True)
OutputsT_co = TypeVar("OutputsT_co", covariant=True)


class DeviceName(Protocol):
    """Where a reader computes."""

    @property
    def name(self) -> str: ...


class ModelReader(Protocol[TaskT_co, OutputsT_co]):
    """A model with its tokenizer, device and length, as far as a baseline uses them."""

    @property
    def task(self) -> TaskT_co: ...

    @property
    def outputs(self) -> OutputsT_co: ...

    @property
    def device(self) -> DeviceName: ...

    def encode(self, examples: Sequence[Example]) -> Any:
        """Token sequences of examples, long texts in windows (an `Encoded`)."""

    def run(
        self,
        encoded: Encoded,
        read: Callable[[nn.Module, dict[str, torch.Tensor]], torch.Tensor] | None = None,
        progress: Progress | None = None,
    ) -> list[np.ndarray]:
        """What `read` takes from the model (by default the task's logits) of every feature."""

    def predict(
        self, examples: Sequence[Example], encoded: Encoded | None = None, progress: Progress | None = None
    ) -> Any:
        """The model's own predictions."""


class PretrainedBaseline(Protocol):
    """The pretrained model of a run, kept beside the fine-tuned one."""

    @classmethod
    def fit(cls, reader: ModelReader[Any, Any], examples: Sequence[Example], seed: int) -> PretrainedBaseline:
        """`reader` reads with the pretrained model; `examples` are the training rows."""

    def predict(
        self,
        reader: ModelReader[Any, Any],
        examples: Sequence[Example],
        encoded: Any = None,
        progress: Progress | None = None,
    ) -> Any:
        """What the task's `predict` gives. `encoded` saves encoding the examples again."""

    def save(self, directory: Path) -> None:
        """Write what `load` needs into the folder of the fine-tuned model."""

    @classmethod
    def is_in(cls, directory: Path) -> bool:
        """Whether the folder has what `load` needs."""

    @classmethod
    def load(cls, directory: Path) -> PretrainedBaseline:
        """The baseline of a saved run. FileProblem when it was not kept."""


def missing_baseline(code: str) -> FileProblem:
    """The problem of a run that was trained without baselines."""
    return FileProblem(
        code,
        Text("This run holds nothing of the untuned model.", "该运行没有保存未微调模型的信息。"),
        Text("Train it with evaluation.baselines on.", "请在开启 evaluation.baselines 的情况下训练。"),
        file=BASELINE_FILE,
    )


def pooled_features(
    reader: ModelReader[Any, Any], encoded: Encoded, count: int, progress: Progress | None = None
) -> np.ndarray:
    """The mean-pooled features [count, hidden] of examples, the windows of each averaged."""
    vectors = np.stack(reader.run(encoded, read=mean_pooled, progress=progress))
    owners = np.array([feature.example for feature in encoded.features], dtype=np.int64)
    total = np.zeros((count, vectors.shape[1]))
    np.add.at(total, owners, vectors)
    return total / np.bincount(owners, minlength=count)[:, None]


def mean_pooled(model: FamilyModule, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The mean of the encoder's last hidden states over the tokens that are no padding, [b, hidden]."""
    hidden = model.base_model(**batch).last_hidden_state.float()
    mask = batch["attention_mask"].unsqueeze(-1).float()
    return (hidden * mask).sum(1) / mask.sum(1)
