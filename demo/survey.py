"""A look at the data before anything is trained: read the tables, guess the columns, count the classes, ask the data doctor.

Knows which engine functions answer which question, and keeps their last answers. Does not know how they are shown.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict

from demo.page import Page
from engine.assets import EXAMPLES
from engine.config import RunConfig
from engine.core.text import Text
from engine.data.check import UNLEARNABLE, CheckResult, check_config
from engine.data.examples import read_examples
from engine.data.findings import Finding
from engine.data.load import read_tables
from engine.data.table import Table
from engine.generation.prompts import LANGUAGE_SAMPLE, default_templates
from engine.models.choose import AUTOMATIC
from engine.schema import Example
from engine.tasks import TASKS

MOST = 20_000  # rows that are counted for a picture


def read(page: Page, config: RunConfig, progress: Callable[[Text, float], None] | None = None) -> dict[str, Table]:
    """The tables that a configuration names. Raises what the reader raises (UserError)."""
    return page.tables.get(_source(config), lambda: read_tables(config.data, TASKS[config.task], page.settings, progress))


def formats(page: Page, config: RunConfig) -> dict[str, str]:
    """The prompt and the target that a run of a model that writes would choose, by path; as far as they are known before it begins."""
    task, tables = TASKS[config.task].task_model(), page.tables.peek(_source(config))
    column = config.data.columns.get(task.spec.text_role)
    texts = []
    if tables and column in tables["train"].columns:
        texts = [str(cell) for cell in tables["train"].frame[column].iloc[:LANGUAGE_SAMPLE] if cell]
    found = default_templates(task, model_of(page, config), texts)
    return {f"generation.{name}": text for name, text in found.items()}


def check(page: Page, config: RunConfig) -> CheckResult:
    """What the data doctor says of a configuration's data, with all that is known of its model without loading it."""
    return page.checks.get(_asked(config), lambda: check_config(config, page.settings))


def known_errors(page: Page, config: RunConfig) -> list[Finding]:
    """What the data doctor has already found that no training can get past; empty while it was not asked."""
    result = page.checks.peek(_asked(config))
    return [finding for finding in result.findings if finding.code in UNLEARNABLE] if result else []


def model_of(page: Page, config: RunConfig) -> str:
    """The model that a run of this configuration would take, as far as is known before its data was checked."""
    if config.model.id != AUTOMATIC:
        return config.model.id
    if config.data.example in EXAMPLES:
        return EXAMPLES[config.data.example].suggestion
    result = page.checks.peek(_asked(config))
    return result.model if result else AUTOMATIC


def _source(config: RunConfig) -> tuple:
    data = config.data
    return (
        config.task,
        *(getattr(data, name) for name in ("example", "train", "validation", "test")),
        *(getattr(data, name) for name in ("encoding", "delimiter", "sheet")),
        *(getattr(data, name) for name in vars(data) if name.startswith("hub")),
    )


def _asked(config: RunConfig) -> tuple:
    return (config.task, config.model.id, config.model.max_length, json.dumps(asdict(config.data), sort_keys=True))


def examples(config: RunConfig, table: Table, columns: dict[str, str], most: int = MOST) -> list[Example]:
    """The first rows of a table as its task reads them; none while a column is missing. Raises what the reader raises."""
    known = {role: column for role, column in columns.items() if column in table.columns}
    task = TASKS[config.task]
    if task.missing_role(known) is not None:
        return []
    few = Table(table.frame.iloc[:most], table.source, table.lines[:most])
    return read_examples(few, task, known, config.data)[0]


def class_counts(table: Table, column: str, separator: str = "") -> list[tuple[str, int]]:
    """How often each label occurs, most frequent first. Cells with several labels count for each."""
    counts: Counter[str] = Counter()
    for cell in table.frame[column]:
        if cell is None:
            continue
        if isinstance(cell, list):
            labels = [str(label) for label in cell]
        elif separator:
            labels = [label.strip() for label in str(cell).split(separator)]
        else:
            labels = [str(cell).strip()]
        counts.update(label for label in labels if label)
    return counts.most_common()
