"""Input of the data check: the examples of all tables, with the names needed to locate a row.

Knows where each example came from. Does not check anything.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from engine.data.findings import excerpt
from engine.data.task import DataTask
from engine.schema import Example, Place


@dataclass(frozen=True)
class Corpus:
    """Examples by table ("train", "validation", "test"), the file of each, and the column of each role in each."""

    task: DataTask
    examples: dict[str, list[Example]]
    files: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def train(self) -> list[Example]:
        return self.examples["train"]

    def rows(self) -> Iterator[tuple[str, Example]]:
        """Every (table, example)."""
        for table, examples in self.examples.items():
            for example in examples:
                yield table, example

    def __len__(self) -> int:
        """Rows of all tables."""
        return sum(map(len, self.examples.values()))

    @cached_property
    def texts(self) -> dict[str, list[str]]:
        """The main text of each row (`DataTask.text`)."""
        return {table: [self.task.text(e) for e in examples] for table, examples in self.examples.items()}

    @cached_property
    def keys(self) -> dict[str, list[Hashable]]:
        """The identity of each row: equal for rows that are the same to a model."""
        return {table: [self.task.identity(e) for e in examples] for table, examples in self.examples.items()}

    @cached_property
    def labels(self) -> list[tuple[str, ...]]:
        """The labels of each training row."""
        return [self.task.labels(example) for example in self.train]

    def place(
        self, table: str, example: Example, *, text: str | None = None, at: int = 0, target: bool = False
    ) -> Place:
        """The place of an example, in the column of its text or of its target.

        The excerpt is taken from `text`, by default the text that identifies the row, around the character `at`.
        """
        role = self.task.target_role if target else self.task.row_role
        column = self.task.column(self.columns.get(table, {}), role)
        if text is None:
            text = self.task.row_text(example)
        return Place(self.files.get(table, table), example.row, column, excerpt(text, at))
