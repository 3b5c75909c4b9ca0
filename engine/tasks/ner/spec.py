"""Named entity recognition without its model: spans of a text, each with a type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from engine.core.text import Text
from engine.data.cells import as_text
from engine.schema import Example, Role
from engine.sections import Section
from engine.tasks.ner.conll_export import conll
from engine.tasks.roles import TEXT
from engine.tasks.spec import EncoderSpec, ExportFormat
from engine.tasks.task_defaults import TaskHyperparameters, epochs_for_entities, head_ratio_for_entities

if TYPE_CHECKING:
    from engine.data.column_guess import Guess
    from engine.data.config import DataConfig
    from engine.data.corpus import Corpus
    from engine.data.findings import Finding
    from engine.data.table import Table
    from engine.data.task import Moved, RowFix
    from engine.schema import Notice

ROLES = (
    Role("text", TEXT.label, TEXT.help, required=False),
    Role(
        "spans",
        Text("Spans", "实体区间"),
        Text("Entities as character spans: start, end, label.", "实体的字符区间：start、end、label。"),
        required=False,
    ),
    Role("tokens", Text("Tokens", "词元"), Text("The words of each row.", "每行的词列表。"), required=False),
    Role("tags", Text("Tags", "标注"), Text("One tag for each token.", "每个词对应的标注。"), required=False),
)


class NerSpec(EncoderSpec):
    """A row's target is a tuple of {"start", "end", "label"}."""

    name = "ner"
    label = Text("Named entities", "命名实体识别")
    roles = ROLES
    inputs = ("text",)
    text_role = "text"
    target_role = "spans"
    alternative_roles = MappingProxyType({"text": "tokens", "spans": "tags"})
    metrics = ("f1", "precision", "recall", "macro_f1")
    plotted_metrics = ("f1", "macro_f1")
    hyperparameters = TaskHyperparameters(
        learning_rates={"full": 5e-5, "lora": 1.5e-4, "head": 5e-3},
        epochs=epochs_for_entities,
        head_ratio=head_ratio_for_entities,
    )
    windowed = True
    loss_per_token = True
    export_formats = MappingProxyType({".conll": ExportFormat("CoNLL", conll)})
    has_labels = True
    reads_tags = True
    insight_titles = MappingProxyType(
        {
            "memory": Text("Against memory", "与照搬训练集相比"),
            "generalisation": Text("New entities", "新实体"),
            "main_error": Text("What goes wrong", "主要错误"),
            "weak_types": Text("Where it is weak", "薄弱之处"),
            "untested_types": Text("Not tested", "未经测试"),
            "unknown_types": Text("Unknown types", "未知类型"),
        }
    )
    metric_help = MappingProxyType(
        {
            "f1": Text(
                "Harmonic mean of precision and recall over all entities; an entity is right when beginning, end and type are (seqeval, strict).",
                "所有实体精确率与召回率的调和平均；起点、终点和类型都正确才算对（seqeval 严格模式）。",
            ),
            "precision": Text("Share of the entities given that are right.", "给出的实体中正确的比例。"),
            "recall": Text("Share of the true entities that were given.", "真实实体中被找到的比例。"),
            "macro_f1": Text(
                "Mean F1 of the types, rare ones counting as much as frequent ones.",
                "各类型 F1 的平均，稀有类型与常见类型同等重要。",
            ),
        }
    )

    def guess(self, table: Table, given: dict[str, str]) -> dict[str, Guess]:
        from engine.tasks.ner.columns import guess

        return guess(table, given)

    def arrange(self, table: Table) -> Table:
        from engine.tasks.ner.token_rows import join_tokens_of_sentences

        return join_tokens_of_sentences(table)

    def missing_role(self, columns: Mapping[str, str]) -> str | None:
        """Text with spans, or tokens with tags, will do."""
        if {"text", "spans"} <= columns.keys() or {"tokens", "tags"} <= columns.keys():
            return None
        return "tags" if "tokens" in columns else "spans" if "text" in columns else "text"

    def chosen_columns(self, columns: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
        """Spans win over guessed tags."""
        if {"text", "spans", "tokens", "tags"} <= columns.keys() and not {"tokens", "tags"} & given.keys():
            return {role: columns[role] for role in ("text", "spans")}
        return dict(columns)

    def read(self, table: Table, columns: Mapping[str, str], data: DataConfig) -> tuple[list[Example], list[Notice]]:
        from engine.tasks.ner.reading import read_spans, read_tagged

        if {"tokens", "tags"} <= columns.keys():
            return read_tagged(table, columns["tokens"], columns["tags"])
        return read_spans(table, columns["text"], columns["spans"])

    def row_inputs(self, cells: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tokens give their text, and their places in it."""
        if "tokens" not in cells:
            return super().row_inputs(cells)
        from engine.data.profile import as_items
        from engine.tasks.ner.reading import join_tokens

        text, places = join_tokens([as_text(token) for token in as_items(cells["tokens"]) or []])
        return {"text": text, "tokens": places} if text.strip() else None

    def report_sections(self, report: dict[str, Any]) -> list[Section]:
        from engine.tasks.ner.sections import report_sections

        return report_sections(report)

    def picked_rows(self, directory: Path, report: dict[str, Any], pick: str) -> Section:
        from engine.tasks.ner.sections import picked_rows

        return picked_rows(directory, report, pick)

    def labels(self, example: Example) -> tuple[str, ...]:
        return tuple(dict.fromkeys(span["label"] for span in example.target))

    def label_occurrences(self, example: Example) -> Sequence[str]:
        return [span["label"] for span in example.target]

    def require_labels(self, rows: Sequence[Example]) -> None:
        from engine.tasks.ner.reading import require_entities

        require_entities(rows)

    def rewrite_texts(self, example: Example, rewrite: Callable[[str], tuple[str, Moved]]) -> Example:
        text, moved = rewrite(example.inputs["text"])
        inputs = {**example.inputs, "text": text}
        if "tokens" in inputs:
            inputs["tokens"] = [[moved(start, False), moved(end, True)] for start, end in inputs["tokens"]]
        spans = tuple(
            {**span, "start": moved(span["start"], False), "end": moved(span["end"], True)} for span in example.target
        )
        return replace(example, inputs=inputs, target=spans)

    def checks(self) -> Sequence[Callable[[Corpus], list[Finding]]]:
        from engine.tasks.ner.checks import check_spans

        return (check_spans,)

    def fixes(self) -> Sequence[RowFix]:
        from engine.tasks.ner.fixes import FIXES

        return FIXES
