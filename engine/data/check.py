"""The data doctor: everything that is worth knowing about a table before a minute is spent on training.

Knows which checks there are and gathers what they and the readers found. The checks themselves are in `check_*`. `check_config`
goes the whole way from a RunConfig to the findings; `check` takes examples that were read already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.config import RunConfig
from engine.core.errors import LabelProblem
from engine.core.settings import Settings
from engine.core.text import Text
from engine.data.check_duplicates import check_duplicates
from engine.data.check_labels import check_labels
from engine.data.check_lengths import check_lengths
from engine.data.check_spans import check_spans
from engine.data.check_summaries import check_summaries
from engine.data.check_texts import check_texts
from engine.data.columns import resolve_tables
from engine.data.corpus import Corpus
from engine.data.examples import labels_of, read_examples
from engine.data.findings import Finding, Fix
from engine.data.fixes import FIXES, apply_fixes, unknown_fix
from engine.data.load import read_tables
from engine.data.model_facts import ModelFacts, facts_of
from engine.data.table import Source
from engine.models.choose import AUTOMATIC, model_for
from engine.schema import Example, Notice, Place
from engine.tasks import task_named

__all__ = ["FIXES", "CheckResult", "Finding", "Fix", "ModelFacts", "apply_fixes", "check", "check_config"]

_SEVERITIES = ("error", "warning", "info")
# Findings that no training can get past; other errors are grave, but the person decides.
UNLEARNABLE = ("one_label", "labels_of_their_own", "no_entities", "no_answers")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the doctor found, and in what."""

    task: str
    sources: dict[str, Source]
    columns: dict[str, dict[str, str]]
    rows: dict[str, int]  # usable rows of each table, after the fixes
    labels: dict[str, int]  # training rows of each class or entities of each type, most frequent first
    findings: list[Finding]
    fixed: list[Notice] = field(default_factory=list)  # what the fixes of the configuration changed
    model: str = ""  # the one whose reading was checked

    @property
    def worst(self) -> str:
        """The gravest severity found: "error", "warning", "info", or "ok"."""
        found = {finding.severity for finding in self.findings}
        return next((severity for severity in _SEVERITIES if severity in found), "ok")

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


def check(
    examples: dict[str, list[Example]],
    task: str,
    *,
    files: Mapping[str, str] | None = None,
    columns: Mapping[str, dict[str, str]] | None = None,
    notices: Sequence[Notice] = (),
    model: ModelFacts | None = None,
) -> list[Finding]:
    """All findings, gravest first.

    `examples` has "train" and perhaps "validation" and "test", as given: not yet split. `files` and `columns` name the file and
    the mapping of each table, for messages. `notices` of the readers become findings. `model` adds what only a tokenizer or the
    model's languages can tell.
    """
    corpus = Corpus(task, examples, dict(files or {}), dict(columns or {}))
    model = model or ModelFacts()
    findings = [_from_notice(notice) for notice in _merged(notices)]
    findings += _unlearnable(corpus)
    findings += check_texts(corpus, model)
    findings += check_duplicates(corpus)
    findings += check_labels(corpus)
    findings += check_lengths(corpus, model)
    findings += check_spans(corpus)
    findings += check_summaries(corpus)
    return sorted(findings, key=lambda finding: _SEVERITIES.index(finding.severity))


def _unlearnable(corpus: Corpus) -> list[Finding]:
    try:
        task_named(corpus.task).require_labels(corpus.train)
        task_named(corpus.task).refuse_unique_labels(corpus.train)
    except LabelProblem as problem:
        return [Finding(problem.code, "error", problem.message, len(corpus.train))]
    return []


def _from_notice(notice: Notice) -> Finding:
    return Finding(notice.code, notice.severity, notice.message, notice.count, notice.rows)


def _merged(notices: Sequence[Notice]) -> list[Notice]:
    """Readers notice table by table; each notice stays, but none twice."""
    return list({(n.code, n.message.en, n.rows): n for n in notices}.values())


def check_config(config: RunConfig, settings: Settings, model: ModelFacts | None = None) -> CheckResult:
    """Read, map and check the data of a run, with the fixes that its configuration asks for already applied.

    Raises what reading and mapping raise (FileProblem, ColumnProblem, LabelProblem, AssetProblem, ConfigProblem).
    """
    data = config.data
    task = task_named(config.task)
    tables = read_tables(data, task, settings)
    given = dict(data.columns) or example_columns(data.example)
    columns = resolve_tables(tables, task, given)
    examples: dict[str, list[Example]] = {}
    notices: list[Notice] = []
    for name, table in tables.items():
        examples[name], found = read_examples(table, task, columns[name], data)
        notices += found
    examples = task.unify_targets(examples, data)
    examples, fixed = apply_fixes(examples, data.fixes, config.task)
    name = config.model.id
    if name == AUTOMATIC:
        name, _ = model_for(config.task, [task.text(row) for row in examples["train"]])
    if model is None:
        model = facts_of(name, config.model.max_length)
    findings = check(
        examples,
        config.task,
        files={name: table.source.name for name, table in tables.items()},
        columns=columns,
        notices=notices,
        model=model,
    )
    labels = Counter(label for example in examples["train"] for label in _counted(example, config.task))
    return CheckResult(
        task=config.task,
        sources={name: table.source for name, table in tables.items()},
        columns=columns,
        rows={name: len(rows) for name, rows in examples.items()},
        labels=dict(labels.most_common()),
        findings=findings,
        fixed=fixed,
        model=name,
    )


def settle_fixes(config: RunConfig, settings: Settings) -> RunConfig:
    """The configuration with every fix in `data.fixes` that is a setting (a maximum length, a separator) set as the check offers it.

    What is left in `data.fixes` changes rows. Raises ConfigProblem for a code that is neither a fix of the rows nor offered for
    this data, and what `check_config` raises.
    """
    wanted = [code for code in config.data.fixes if code not in FIXES]
    if not wanted:
        return config
    values = config.to_dict()
    values["data"]["fixes"] = [code for code in config.data.fixes if code in FIXES]
    findings = check_config(RunConfig.from_dict(values), settings).findings
    offered = {finding.fix.code: finding.fix for finding in findings if finding.fix and finding.fix.settings}
    for code in wanted:
        if code not in offered:
            raise unknown_fix(code, [*FIXES, *offered])
        for path, value in offered[code].settings.items():
            section, _, name = path.partition(".")
            values[section][name] = value
    return RunConfig.from_dict(values)


def example_columns(example: str) -> dict[str, str]:
    """The mapping that the catalogue knows for an embedded example; nothing for data of one's own."""
    if not example:
        return {}
    from engine.assets import EXAMPLES

    return dict(EXAMPLES[example].columns)


def _counted(example: Example, task: str) -> Sequence[str]:
    if task == "ner":
        return [span["label"] for span in example.target]
    return labels_of(example) if task == "classification" else ()


def place_text(place: Place) -> Text:
    """A place in words: file, row and column."""
    column_en = f", column {place.column}" if place.column else ""
    column_zh = f"“{place.column}”列" if place.column else ""
    return Text(f"{place.file}, row {place.row}{column_en}", f"{place.file} 第 {place.row} 行{column_zh}")
