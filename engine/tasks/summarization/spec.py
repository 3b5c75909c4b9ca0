"""Summarization without its model: a document in, its summary out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from engine.core.text import Text
from engine.schema import Example, Role
from engine.sections import Section
from engine.tasks.spec import GenerativeSpec
from engine.tasks.summarization.rouge import METRICS

if TYPE_CHECKING:
    from engine.data.column_guess import Guess
    from engine.data.config import DataConfig
    from engine.data.corpus import Corpus
    from engine.data.findings import Finding
    from engine.data.table import Table
    from engine.data.task import Moved, RowFix
    from engine.schema import Notice

ROLES = (
    Role("document", Text("Document", "文档"), Text("The text to shorten.", "需要概括的文本。")),
    Role(
        "summary",
        Text("Summary", "摘要"),
        Text("What it comes down to; several references as a list.", "文本的要点；多个参考摘要用列表。"),
    ),
)


class SummarizationSpec(GenerativeSpec):
    """A row's target is a tuple of reference summaries."""

    name = "summarization"
    label = Text("Summarization", "文本摘要")
    roles = ROLES
    inputs = ("document",)
    text_role = "document"
    target_role = "summary"
    metrics = (*METRICS, "likelihood")
    plotted_metrics = ("rougeL",)
    insight_titles = MappingProxyType(
        {
            "sample": Text("A sample", "抽样评估"),
            "faithful": Text("True to the document", "忠实于原文"),
            "strange": Text("It invents", "存在编造"),
            "repetition": Text("It repeats itself", "内容重复"),
            "length": Text("Length", "长度"),
        }
    )

    def guess(self, table: Table, given: dict[str, str]) -> dict[str, Guess]:
        from engine.tasks.summarization.columns import guess

        return guess(table, given)

    def arrange(self, table: Table) -> Table:
        from engine.tasks.summarization.references import join_references

        return join_references(table)

    def read(self, table: Table, columns: Mapping[str, str], data: DataConfig) -> tuple[list[Example], list[Notice]]:
        from engine.tasks.summarization.reading import read

        return read(table, columns)

    def report_sections(self, report: dict[str, Any]) -> list[Section]:
        from engine.tasks.summarization.sections import report_sections

        return report_sections(report)

    def picked_rows(self, directory: Path, report: dict[str, Any], pick: str) -> Section:
        from engine.tasks.summarization.sections import picked_rows

        return picked_rows(directory, report, pick)

    def rewrite_texts(self, example: Example, rewrite: Callable[[str], tuple[str, Moved]]) -> Example:
        inputs = {**example.inputs, "document": rewrite(example.inputs["document"])[0]}
        return replace(example, inputs=inputs, target=tuple(rewrite(reference)[0] for reference in example.target))

    def checks(self) -> Sequence[Callable[[Corpus], list[Finding]]]:
        from engine.tasks.summarization.checks import check_summaries

        return (check_summaries,)

    def fixes(self) -> Sequence[RowFix]:
        from engine.tasks.summarization.fixes import FIXES

        return FIXES
