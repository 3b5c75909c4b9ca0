"""Named entity recognition without its model: spans of a text, each with a type."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from engine.core.text import Text
from engine.schema import Example
from engine.tasks.ner.conll_export import conll
from engine.tasks.roles import ROLES
from engine.tasks.spec import EncoderSpec, ExportFormat
from engine.tasks.task_defaults import TaskHyperparameters, head_ratio_for_entities, passes_for_entities

if TYPE_CHECKING:
    from engine.tasks.base import Task


class NerSpec(EncoderSpec):
    """A row's target is a tuple of {"start", "end", "label"}."""

    name = "ner"
    label = Text("Named entities", "命名实体识别")
    roles = ROLES["ner"]
    inputs = ("text",)
    text_role = "text"
    target_role = "spans"
    alternative_roles = MappingProxyType({"text": "tokens", "spans": "tags"})
    metrics = ("f1", "precision", "recall", "macro_f1")
    plotted_metrics = ("f1", "macro_f1")
    hyperparameters = TaskHyperparameters(
        rate={"full": 5e-5, "lora": 1.5e-4, "head": 5e-3},
        epochs=passes_for_entities,
        head_ratio=head_ratio_for_entities,
    )
    windowed = True
    loss_per_token = True
    export_formats = MappingProxyType({".conll": ExportFormat("CoNLL", conll)})
    has_labels = True
    reads_tags = True

    def task_model(self) -> Task:
        from engine.tasks.ner.model import Ner

        return Ner()

    def labels(self, example: Example) -> tuple[str, ...]:
        return tuple(dict.fromkeys(span["label"] for span in example.target))

    def label_occurrences(self, example: Example) -> Sequence[str]:
        return [span["label"] for span in example.target]
