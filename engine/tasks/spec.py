"""TaskSpec: what a task is without its model. Columns, rows, labels, identity of rows, defaults.

Everything here works on tables and examples and needs neither PyTorch nor transformers (pandas only once a table is read), so that the page, the command line, the
data check and the configuration can ask it cheaply. The other half, which trains and answers, is the task's TaskModel
(`engine.tasks.model.task_model`). A task subclasses `EncoderSpec` or `GenerativeSpec`; instances hold no state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from engine.core.text import Text
from engine.data.cells import as_text
from engine.data.normalization import normal_form, normal_key
from engine.evaluation.metric_format import MetricWords, add_metrics
from engine.schema import ENCODER, GENERATIVE, Example, Role
from engine.sections import Section
from engine.tasks.task_defaults import TaskHyperparameters, epochs_for_generation, lr_scale_for_generators

if TYPE_CHECKING:
    from engine.data.column_guess import Guess
    from engine.data.config import DataConfig
    from engine.data.corpus import Corpus
    from engine.data.findings import Finding
    from engine.data.table import Table
    from engine.data.task import Moved, RowFix
    from engine.schema import Answered, Notice, Outputs
    from engine.tasks.export_spec import TaskExport

NOTHING: Mapping[str, Any] = MappingProxyType({})
GENERATED_TEST_ROWS = (
    100  # test rows for which texts are generated unless the configuration sets more: a second each on a CPU
)


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A file format of the task's field in which answers can be saved.

    `write` takes the table and what was read and answered of each of its rows, and returns the text of the file.
    """

    label: str  # needs no translation
    write: Callable[[Table, Answered], str]


class TaskSpec(ABC):
    """The light half of a task. What has no default here, each task decides."""

    name: str
    label: Text
    kind: str  # ENCODER or GENERATIVE
    roles: tuple[Role, ...]  # what columns of a training table can be
    inputs: tuple[str, ...]  # the roles that the model reads of a row, in the order in which a person gives them
    text_role: str  # the input that holds the text a row is about
    target_role: str  # the role that holds what the model learns to answer
    metrics: tuple[str, ...]  # each between 0 and 1, higher is better
    plotted_metrics: tuple[str, ...]  # of them, whose curves show how training goes; the first one shows most
    methods: tuple[str, ...]  # training methods that make sense, the default first for generative models
    hyperparameters: TaskHyperparameters  # used where the configuration leaves them open

    optional_inputs: frozenset[str] = frozenset()  # inputs without which a row can still be answered
    alternative_roles: Mapping[str, str] = (
        NOTHING  # role -> the role that may take its place in a table (text -> tokens)
    )
    default_settings: Mapping[str, Mapping[str, Any]] = (
        NOTHING  # section -> fields whose defaults differ from RunConfig's
    )
    max_test_rows: int | None = (
        None  # test rows answered unless the configuration sets more; None: all, because answering is cheap
    )
    windowed: bool = False  # whether long training texts are read in overlapping windows; else they are truncated
    loss_per_token: bool = False  # whether the loss is a mean over tokens, not over rows
    export_formats: Mapping[str, ExportFormat] = NOTHING  # by file ending, beside the tables that every task can write
    has_labels: bool = False  # whether a row carries labels of a closed set, which can be rare, unseen or misspelt
    classifies_rows: bool = False  # whether the labels are of whole rows, so that classes can be too rare or uneven
    texts_repeat: bool = False  # whether rows share their texts by design, so that near duplicates say nothing
    # Whether rows are annotated texts, such as CoNLL files; an annotated row may lack a cell of spans.
    reads_tags: bool = False

    insight_titles: Mapping[str, Text] = NOTHING  # titles of the insights that only this task's report has, by kind
    own_metrics: Mapping[str, MetricWords] = NOTHING  # metrics that only this task has, by name
    # What metrics mean in this task, where that is not what they mean in general.
    metric_help: Mapping[str, Text] = NOTHING

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        add_metrics(cls.own_metrics)

    @property
    def export(self) -> TaskExport:
        """How models of the task are exported: `EXPORT` in the module `export` beside the one that defines the spec."""
        package = type(self).__module__.rpartition(".")[0]
        return import_module(f"{package}.export").EXPORT

    @property
    def row_role(self) -> str:
        """The role whose column a finding about a row points at."""
        return self.text_role

    @property
    def required_inputs(self) -> tuple[str, ...]:
        """The inputs without which a row cannot be answered."""
        return tuple(name for name in self.inputs if name not in self.optional_inputs)

    @property
    def window_tokens(self) -> int | None:
        """Tokens of a window where the configuration sets no maximum length; None: what the model can read."""
        return self.hyperparameters.window_tokens

    def role(self, name: str) -> Role:
        """The role of that name. KeyError where the task has none."""
        return {role.name: role for role in self.roles}[name]

    def column(self, columns: Mapping[str, str], role: str) -> str:
        """The column of a role, or of its alternative; empty where the table has neither."""
        return columns.get(role) or columns.get(self.alternative_roles.get(role, ""), "")

    # Tables

    def arrange(self, table: Table) -> Table:
        """The table in the layout that the task reads, one example a row; unchanged where it is so already."""
        return table

    @abstractmethod
    def guess(self, table: Table, given: dict[str, str]) -> dict[str, Guess]:
        """The columns of the roles that `given` leaves open, as far as any can be recognised."""

    def missing_role(self, columns: Mapping[str, str]) -> str | None:
        """The first role without which rows cannot be read and which has no column; None where there is none."""
        return next((role.name for role in self.roles if role.required and role.name not in columns), None)

    def chosen_columns(self, columns: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
        """The mapping to read with, where roles exclude each other; `given` are the columns chosen by hand."""
        return dict(columns)

    @abstractmethod
    def read(self, table: Table, columns: Mapping[str, str], data: DataConfig) -> tuple[list[Example], list[Notice]]:
        """The rows of a table as examples, with notices of what was left out or decided. LabelProblem where labels make no sense."""

    def row_inputs(self, cells: Mapping[str, Any]) -> dict[str, Any] | None:
        """The inputs of a row without a target, from its cells by role; None where something to read is missing."""
        inputs = {name: as_text(cell) for name, cell in cells.items()}
        return inputs if all(text.strip() for text in inputs.values()) else None

    def unify_targets(self, tables: Mapping[str, Sequence[Example]], data: DataConfig) -> dict[str, list[Example]]:
        """The examples of all tables of a run with their targets in one form."""
        return {name: list(rows) for name, rows in tables.items()}

    def fit_targets(self, rows: Sequence[Example], outputs: Outputs) -> list[Example]:
        """Examples with their targets in the form that a trained model answers in."""
        return list(rows)

    # Rows

    def text(self, example: Example) -> str:
        """The text that a row is about."""
        return example.inputs[self.text_role]

    def row_text(self, example: Example) -> str:
        """The text by which a finding shows a row."""
        return example.inputs[self.row_role]

    def identity(self, example: Example) -> Hashable:
        """Equal for two rows that are the same to the model: the normal form of every input, strings or not."""
        return tuple(normal_key(example.inputs.get(name)) for name in self.inputs)

    def group(self, example: Example) -> Hashable:
        """What keeps rows on one side of a split: the normal form of the text."""
        return normal_form(self.text(example))

    def leak_key(self, example: Example) -> Hashable:
        """What must not be both in the training set and in another one."""
        return self.identity(example)

    # Labels

    def labels(self, example: Example) -> tuple[str, ...]:
        """The labels of a row, each once; nothing for a task without labels."""
        return ()

    def label_occurrences(self, example: Example) -> Sequence[str]:
        """The labels of a row as they are counted in an overview: each as often as it occurs."""
        return self.labels(example)

    def stratum(self, example: Example, frequency: Counter[str]) -> str:
        """What a row counts as when rows are sampled evenly: its label, the rarest of several, or nothing.

        `frequency` counts the labels of all rows that are sampled from.
        """
        return min(self.labels(example), key=lambda label: (frequency[label], label), default="")

    def require_labels(self, rows: Sequence[Example]) -> None:
        """Raise LabelProblem where training rows have nothing to learn from."""
        return

    def refuse_unique_labels(self, rows: Sequence[Example]) -> None:
        """Raise LabelProblem where nearly every training row has a label of its own: a text or an identifier, no class."""
        return

    # The report

    def report_sections(self, report: dict[str, Any]) -> list[Section]:
        """The sections that only this task's report has, from the JSON of report.json; the common ones stand around them."""
        return []

    def picked_rows(self, directory: Path, report: dict[str, Any], pick: str) -> Section:
        """The test rows behind a pick of its sections, read from a report's directory. KeyError or ValueError for an unknown pick."""
        raise KeyError(pick)

    # Checks of data

    def rewrite_texts(self, example: Example, rewrite: Callable[[str], tuple[str, Moved]]) -> Example:
        """The example with every text that the model reads or learns passed through `rewrite`.

        `rewrite` returns the new text and a function from offsets in the old text to offsets in the new one; a task whose rows
        hold offsets moves them with it.
        """
        inputs = {
            name: rewrite(value)[0] if name in self.inputs and isinstance(value, str) else value
            for name, value in example.inputs.items()
        }
        return replace(example, inputs=inputs)

    def checks(self) -> Sequence[Callable[[Corpus], list[Finding]]]:
        """Functions from a Corpus to the findings that only this task has."""
        return ()

    def fixes(self) -> Sequence[RowFix]:
        """Fixes that only this task offers, in the order in which they run."""
        return ()


class EncoderSpec(TaskSpec):
    """A task whose model reads texts with an encoder and a head."""

    kind = ENCODER
    methods = ("full", "lora", "head")


class GenerativeSpec(TaskSpec):
    """A task whose model generates texts. `text_role` is the source of a text, `target_role` its reference."""

    kind = GENERATIVE
    methods = ("lora", "full", "prefix", "ia3")
    default_settings = MappingProxyType({"method": {"name": "lora"}})
    hyperparameters = TaskHyperparameters(
        learning_rates={"lora": 3.4e-3, "full": 1.5e-4, "prefix": 3e-2, "ia3": 1.5e-2},
        epochs=epochs_for_generation,
        lr_scale_by_model_size=lr_scale_for_generators,
        min_batch=4,
    )
    max_test_rows = GENERATED_TEST_ROWS
    loss_per_token = True
