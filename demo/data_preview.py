"""The data of a form before anything is trained: its tables, the data set that a run would load, and the data check of it.

Keeps the last ones on the page: a file is parsed once per way of reading it, rows are mapped once per choice of columns and fixes,
and what depends on the model is computed from that. Does not know how any of it is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from demo.page import Page
from engine.assets import EXAMPLES
from engine.config import RunConfig
from engine.core.text import Text
from engine.data.check import CheckResult, check_dataset
from engine.data.dataset import Dataset, dataset_of
from engine.data.examples import read_examples
from engine.data.findings import Finding
from engine.data.load import read_tables
from engine.data.model_facts import facts_of
from engine.data.table import Table
from engine.generation.prompts import LANGUAGE_SAMPLE, default_templates
from engine.models.choose import AUTOMATIC
from engine.schema import Example
from engine.tasks import TASKS
from engine.tasks.model import task_model

MAX_ROWS = 20_000  # rows that are counted for a picture


def read(page: Page, config: RunConfig, progress: Callable[[Text, float], None] | None = None) -> dict[str, Table]:
    """The tables that a configuration names. Raises what the reader raises (UserError)."""

    def read_anew() -> dict[str, Table]:
        return read_tables(config.data, TASKS[config.task], page.settings, progress)

    return page.tables.get(_source(config), read_anew)


def dataset(page: Page, config: RunConfig) -> Dataset:
    """The data set that a run of this configuration would load. Raises what `load_dataset` raises (UserError)."""

    def load_anew() -> Dataset:
        return dataset_of(read(page, config), config.data, TASKS[config.task], AUTOMATIC)

    loaded = page.datasets.get(_data(config), load_anew)
    return loaded if config.model.id == AUTOMATIC else loaded.with_model(config.model.id)


def formats(page: Page, config: RunConfig) -> dict[str, str]:
    """The prompt and target templates that a run of a generative model would choose, by path; as far as they are known before it."""
    from engine.tasks.generative import GenerativeTask

    task, tables = task_model(TASKS[config.task]), page.tables.peek(_source(config))
    if not isinstance(task, GenerativeTask):
        return {}
    column = config.data.columns.get(task.spec.text_role)
    texts = []
    if tables and column in tables["train"].columns:
        texts = [str(cell) for cell in tables["train"].frame[column].iloc[:LANGUAGE_SAMPLE] if cell]
    templates = default_templates(task, model_of(page, config), texts)
    return {f"generation.{name}": text for name, text in templates.items()}


def check(page: Page, config: RunConfig) -> CheckResult:
    """The data check of a configuration's data, with all that is known of its model without loading it."""

    def check_anew() -> CheckResult:
        loaded = dataset(page, config)
        return check_dataset(loaded, facts_of(loaded.model, config.model.max_length))

    return page.checks.get(_data_and_model(config), check_anew)


def blocking_findings(page: Page, config: RunConfig) -> list[Finding]:
    """Findings of a check that was made already which would end a run before training; empty where none was made."""
    result = page.checks.peek(_data_and_model(config))
    return [finding for finding in result.findings if finding.blocks_training] if result else []


def model_of(page: Page, config: RunConfig) -> str:
    """The model that a run of this configuration would take, as far as is known before its data was loaded."""
    if config.model.id != AUTOMATIC:
        return config.model.id
    if loaded := page.datasets.peek(_data(config)):
        return loaded.model
    return EXAMPLES[config.data.example].suggestion if config.data.example in EXAMPLES else AUTOMATIC


def _source(config: RunConfig) -> tuple:
    """What decides which tables are read, and how."""
    data = config.data
    return (
        config.task,
        *(getattr(data, name) for name in ("example", "train", "validation", "test")),
        *(getattr(data, name) for name in ("encoding", "delimiter", "sheet")),
        *(getattr(data, name) for name in vars(data) if name.startswith("hub")),
    )


def _data(config: RunConfig) -> tuple:
    """What decides the rows of a data set."""
    data = config.data
    return (*_source(config), tuple(sorted(data.columns.items())), data.label_separator, tuple(data.fixes))


def _data_and_model(config: RunConfig) -> tuple:
    return (*_data(config), config.model.id, config.model.max_length)


def examples(config: RunConfig, table: Table, columns: Mapping[str, str], most: int = MAX_ROWS) -> list[Example]:
    """The first rows of a table as its task reads them; none while a column is missing. Raises what the reader raises."""
    task = TASKS[config.task]
    known = {role: column for role, column in columns.items() if column in table.columns}
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
