"""A data set as a run trains on it: the tables, the columns that were chosen, the examples, and the model that reads them.

The page, the data check, the run and the scoring of a file all get their rows from `load_dataset`, so that they agree on all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from engine.assets import EXAMPLES
from engine.core.settings import Settings
from engine.core.text import Text
from engine.data.columns import resolve_tables
from engine.data.config import DataConfig
from engine.data.examples import read_examples
from engine.data.fixes import apply_fixes
from engine.data.load import read_tables
from engine.data.table import Table
from engine.data.task import DataTask
from engine.models.choose import AUTOMATIC, model_for
from engine.schema import Example, Notice


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was read. The dictionaries have an entry for each table: "train" and, where given, "validation" and "test"."""

    task: DataTask
    tables: dict[str, Table]
    columns: dict[str, dict[str, str]]  # role -> column, of each table
    examples: dict[str, list[Example]]  # with the fixes applied, not yet split
    notices: list[Notice] = field(default_factory=list)  # of reading the rows: what was left out or decided
    fixes: list[Notice] = field(default_factory=list)  # what each fix of the configuration changed
    model: str = ""  # a name of the catalogue, a hub id or a folder
    model_reason: Text | None = None  # why that model, where it was chosen automatically

    def with_model(self, model_id: str) -> Dataset:
        """The same data for another model; `auto` stands for an embedded one that reads the languages of the training table."""
        if model_id != AUTOMATIC:
            return replace(self, model=model_id, model_reason=None)
        texts = [self.task.text(example) for example in self.examples["train"]]
        name, reason = model_for(self.task, texts)
        return replace(self, model=name, model_reason=reason)


def load_dataset(
    data: DataConfig,
    task: DataTask,
    model_id: str,
    settings: Settings,
    *,
    progress: Callable[[Text, float], None] | None = None,
    token: str = "",
) -> Dataset:
    """Read the data of a configuration: its tables (see `read_tables` for `progress` and `token`), and what they hold.

    The order is fixed, because each step sees only what the one before returned:

    1. The tables are read. Edits of their cells belong after this step, so that everything below sees them.
    2. Each table gets its columns: those configured, else those catalogued for an embedded example, else guessed ones.
    3. Rows become examples, and the targets of all tables take one form.
    4. The fixes of `data.fixes` are applied.
    5. `model_id` is resolved for the rows of the whole training table, before anything is split off or sampled.

    Raises FileProblem, AssetProblem, ColumnProblem, LabelProblem and ConfigProblem.
    """
    return dataset_of(read_tables(data, task, settings, progress, token), data, task, model_id)


def dataset_of(tables: Mapping[str, Table], data: DataConfig, task: DataTask, model_id: str) -> Dataset:
    """Steps 2 to 5 of `load_dataset`, for tables that were read before."""
    columns = resolve_tables(dict(tables), task, configured_columns(data))
    examples: dict[str, list[Example]] = {}
    notices: list[Notice] = []
    for name, table in tables.items():
        examples[name], table_notices = read_examples(table, task, columns[name], data)
        notices += table_notices
    examples, fixes = apply_fixes(task.unify_targets(examples, data), data.fixes, task)
    return Dataset(task, dict(tables), columns, examples, notices, fixes).with_model(model_id)


def configured_columns(data: DataConfig) -> dict[str, str]:
    """The columns that need no guessing: the configured ones, else those catalogued for an embedded example."""
    catalogued = EXAMPLES[data.example].columns if data.example in EXAMPLES else {}
    return dict(data.columns or catalogued)
