"""The data check: problems of a table that can be detected before training.

Runs the checks that make sense for any task (`check_*`) and the task's own, and adds the notices of the readers. Does not read files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.core.errors import LabelProblem
from engine.core.text import Text
from engine.data.check_duplicates import check_duplicates
from engine.data.check_labels import check_labels
from engine.data.check_lengths import check_lengths
from engine.data.check_texts import check_texts
from engine.data.corpus import Corpus
from engine.data.dataset import Dataset
from engine.data.findings import Finding
from engine.data.model_facts import ModelFacts
from engine.data.table import Source
from engine.data.task import DataTask
from engine.schema import Example, Notice, Place

_SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The findings of a data check, with the tables and the model that were checked."""

    task: str
    sources: dict[str, Source]
    columns: dict[str, dict[str, str]]
    rows: dict[str, int]  # usable rows of each table, after the fixes
    labels: dict[str, int]  # training rows of each class or entities of each type, most frequent first
    findings: list[Finding]
    fixed: list[Notice] = field(default_factory=list)  # what each fix of the configuration changed
    model: str = ""  # the one for which lengths, vocabulary and languages were checked

    @property
    def worst(self) -> str:
        """The highest severity among the findings: "error", "warning", "info", or "ok"."""
        severities = {finding.severity for finding in self.findings}
        return next((severity for severity in _SEVERITIES if severity in severities), "ok")

    def to_dict(self) -> dict[str, Any]:
        return {
            "task": self.task,
            "model": self.model,
            "worst": self.worst,
            "sources": {
                table: {
                    "name": source.name,
                    "format": source.format,
                    "sha256": source.sha256,
                    "encoding": source.encoding,
                    "delimiter": source.delimiter,
                    "sheet": source.sheet,
                    "sheets": list(source.sheets),
                    "revision": source.revision,
                    "notes": [note.to_dict() for note in source.notes],
                }
                for table, source in self.sources.items()
            },
            "columns": self.columns,
            "rows": self.rows,
            "labels": self.labels,
            "findings": [finding.to_dict() for finding in self.findings],
            "fixed": [notice.to_dict() for notice in self.fixed],
        }


def check_dataset(dataset: Dataset, model: ModelFacts) -> CheckResult:
    """Check a data set for the model that `model` describes."""
    task, train = dataset.task, dataset.examples["train"]
    findings = check_examples(
        dataset.examples,
        task,
        files={name: table.source.name for name, table in dataset.tables.items()},
        columns=dataset.columns,
        notices=dataset.notices,
        model=model,
    )
    labels = Counter(label for example in train for label in task.label_occurrences(example))
    return CheckResult(
        task=task.name,
        sources={name: table.source for name, table in dataset.tables.items()},
        columns=dataset.columns,
        rows={name: len(rows) for name, rows in dataset.examples.items()},
        labels=dict(labels.most_common()),
        findings=findings,
        fixed=dataset.fixes,
        model=dataset.model,
    )


def check_examples(
    examples: dict[str, list[Example]],
    task: DataTask,
    *,
    files: Mapping[str, str] | None = None,
    columns: Mapping[str, dict[str, str]] | None = None,
    notices: Sequence[Notice] = (),
    model: ModelFacts | None = None,
) -> list[Finding]:
    """All findings, most severe first.

    `examples` has "train" and perhaps "validation" and "test", as given: not yet split. `files` and `columns` name the file and
    the mapping of each table, for messages. `notices` of the readers become findings. `model` enables the checks
    that need a tokenizer or the model's languages.
    """
    corpus = Corpus(task, examples, dict(files or {}), dict(columns or {}))
    model = model or ModelFacts()
    findings = [_from_notice(notice) for notice in _distinct(notices)]
    findings += _blocking(corpus)
    findings += check_texts(corpus, model)
    findings += check_duplicates(corpus)
    findings += check_labels(corpus)
    for check in task.checks():
        findings += check(corpus)
    findings += check_lengths(corpus, model)
    return sorted(findings, key=lambda finding: _SEVERITIES.index(finding.severity))


def _blocking(corpus: Corpus) -> list[Finding]:
    """The problem that a run would raise before training; other errors do not block a run."""
    try:
        corpus.task.require_labels(corpus.train)
        corpus.task.refuse_unique_labels(corpus.train)
    except LabelProblem as problem:
        return [Finding(problem.code, "error", problem.message, len(corpus.train), blocks_training=True)]
    return []


def _from_notice(notice: Notice) -> Finding:
    return Finding(notice.code, notice.severity, notice.message, notice.count, notice.rows)


def _distinct(notices: Sequence[Notice]) -> list[Notice]:
    """The notices without duplicates: readers emit them once for every table."""
    return list({(n.code, n.message.en, n.rows): n for n in notices}.values())


def place_text(place: Place) -> Text:
    """A place as a phrase: file, row and column."""
    column_en = f", column {place.column}" if place.column else ""
    column_zh = f"“{place.column}”列" if place.column else ""
    return Text(f"{place.file}, row {place.row}{column_en}", f"{place.file} 第 {place.row} 行{column_zh}")
