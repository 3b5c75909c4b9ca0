"""Text classification without its model: one label a text, several labels a text, or one label for a pair of texts."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from engine.core.text import Text
from engine.schema import Example
from engine.tasks.roles import ROLES
from engine.tasks.spec import EncoderSpec
from engine.tasks.task_defaults import (
    TaskHyperparameters,
    epochs_for_classes,
    frozen_share_for_classes,
    head_ratio_for_classes,
    share_for_classes,
)

if TYPE_CHECKING:
    from engine.tasks.base import Task


class ClassificationSpec(EncoderSpec):
    """A row's target is its label, or a tuple of labels where a text may have several."""

    name = "classification"
    label = Text("Classification", "文本分类")
    roles = ROLES["classification"]
    inputs = ("text", "text_pair")
    optional_inputs = frozenset(("text_pair",))
    text_role = "text"
    target_role = "label"
    metrics = ("accuracy", "macro_f1", "micro_f1", "weighted_f1")
    plotted_metrics = ("accuracy", "macro_f1", "micro_f1")
    hyperparameters = TaskHyperparameters(
        rate={"full": 7e-5, "lora": 1.8e-4, "head": 1e-2},
        epochs=epochs_for_classes,
        lr_scale_by_labels=share_for_classes,
        head_ratio=head_ratio_for_classes,
        frozen_share=frozen_share_for_classes,
        head_passes=5,
        head_batch=8,
    )
    has_labels = True

    def task_model(self) -> Task:
        from engine.tasks.classification.model import Classification

        return Classification()

    def group(self, example: Example) -> Hashable:
        """Both texts of a pair: one text may well be compared with many."""
        return self.identity(example)

    def labels(self, example: Example) -> tuple[str, ...]:
        target = example.target
        return (target,) if isinstance(target, str) else tuple(dict.fromkeys(target))
