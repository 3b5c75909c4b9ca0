"""Text classification without its model: one label a text, several labels a text, or one label for a pair of texts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.text import Text
from engine.schema import Example, Role
from engine.sections import Section
from engine.tasks.classification.label_form import targets_in_form, unify_targets
from engine.tasks.classification.labels import labels_of, refuse_unique_labels, require_labels
from engine.tasks.roles import TEXT
from engine.tasks.spec import EncoderSpec
from engine.tasks.task_defaults import (
    TaskHyperparameters,
    epochs_for_classes,
    frozen_share_for_classes,
    head_ratio_for_classes,
    lr_scale_for_classes,
)

if TYPE_CHECKING:
    from engine.data.column_guess import Guess
    from engine.data.config import DataConfig
    from engine.data.corpus import Corpus
    from engine.data.findings import Finding
    from engine.data.table import Table
    from engine.schema import Notice, Outputs

TEXT_PAIR = Role(
    "text_pair",
    Text("Second text", "第二段文本"),
    Text("For tasks that compare two texts.", "用于比较两段文本的任务。"),
    required=False,
)
LABEL = Role("label", Text("Label", "标签"), Text("What the model should answer.", "模型应给出的答案。"))


class ClassificationSpec(EncoderSpec):
    """A row's target is its label, or a tuple of labels where a text may have several."""

    name = "classification"
    label = Text("Classification", "文本分类")
    roles = (TEXT, TEXT_PAIR, LABEL)
    inputs = ("text", "text_pair")
    optional_inputs = frozenset(("text_pair",))
    text_role = "text"
    target_role = "label"
    metrics = ("accuracy", "macro_f1", "micro_f1", "weighted_f1")
    plotted_metrics = ("accuracy", "macro_f1", "micro_f1")
    hyperparameters = TaskHyperparameters(
        learning_rates={"full": 7e-5, "lora": 1.8e-4, "head": 1e-2},
        epochs=epochs_for_classes,
        lr_scale_by_labels=lr_scale_for_classes,
        head_ratio=head_ratio_for_classes,
        frozen_share=frozen_share_for_classes,
        head_only_epochs_factor=5,
        head_only_batch_factor=8,
    )
    has_labels = True
    classifies_rows = True

    def guess(self, table: Table, given: dict[str, str]) -> dict[str, Guess]:
        from engine.tasks.classification.columns import guess

        return guess(table, given)

    def read(self, table: Table, columns: Mapping[str, str], data: DataConfig) -> tuple[list[Example], list[Notice]]:
        from engine.tasks.classification.reading import read

        return read(table, columns, data)

    def unify_targets(self, tables: Mapping[str, Sequence[Example]], data: DataConfig) -> dict[str, list[Example]]:
        """A label each, or a tuple of labels each where a text may have several."""
        return unify_targets(tables, data)

    def fit_targets(self, rows: Sequence[Example], outputs: Outputs) -> list[Example]:
        return targets_in_form(rows, outputs.to_dict()["multi_label"])

    def report_sections(self, report: dict[str, Any]) -> list[Section]:
        from engine.tasks.classification.sections import report_sections

        return report_sections(report)

    def picked_rows(self, directory: Path, report: dict[str, Any], pick: str) -> Section:
        from engine.tasks.classification.sections import picked_rows

        return picked_rows(directory, report, pick)

    def group(self, example: Example) -> Hashable:
        """Both texts of a pair: one text may well be compared with many."""
        return self.identity(example)

    def labels(self, example: Example) -> tuple[str, ...]:
        return labels_of(example)

    def require_labels(self, rows: Sequence[Example]) -> None:
        require_labels(rows)

    def refuse_unique_labels(self, rows: Sequence[Example]) -> None:
        refuse_unique_labels(rows)

    def checks(self) -> Sequence[Callable[[Corpus], list[Finding]]]:
        from engine.tasks.classification.checks import check_several_labels

        return (check_several_labels,)
