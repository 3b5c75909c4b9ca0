"""What the data doctor looks at: the examples of all tables, with the names needed to point at a row.

Knows where each example came from. Does not judge anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from engine.data.examples import labels_of
from engine.data.findings import excerpt
from engine.data.normal import normal_form
from engine.schema import Example, Place
from engine.tasks import TASKS

_TARGET_ROLE = {"classification": "label", "ner": "spans", "qa": "answers", "summarization": "summary"}
_TEXT_ROLE = {"qa": "question", "summarization": "document"}


@dataclass(frozen=True)
class Corpus:
    """Examples by table ("train", "validation", "test"), the file of each, and the column of each role in each."""

    task: str
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

    @cached_property
    def texts(self) -> dict[str, list[str]]:
        """The text that each row is about."""
        return {table: [TASKS[self.task].text(e) for e in examples] for table, examples in self.examples.items()}

    @cached_property
    def keys(self) -> dict[str, list[str]]:
        """The normal form of everything that each row reads: equal for rows that are the same to a model.

        Rows of question answering are a question on a context; contexts repeat by design.
        """
        return {table: [self._key(example) for example in examples] for table, examples in self.examples.items()}

    def _key(self, example: Example) -> str:
        inputs = example.inputs
        if self.task == "qa":
            return f"{normal_form(inputs['question'])}\n{normal_form(inputs['context'])}"
        own = normal_form(TASKS[self.task].text(example))
        return f"{own}\n{normal_form(inputs['text_pair'])}" if "text_pair" in inputs else own

    @cached_property
    def labels(self) -> list[tuple[str, ...]]:
        """The labels of each training row."""
        return [labels_of(example) for example in self.train]

    def place(
        self, table: str, example: Example, *, text: str | None = None, at: int = 0, target: bool = False
    ) -> Place:
        """Where an example stands: the column of its text (the question, for question answering), or of its target."""
        columns = self.columns.get(table, {})
        role = _TARGET_ROLE[self.task] if target else _TEXT_ROLE.get(self.task, "text")
        column = columns.get(role) or columns.get("tags" if target else "tokens", "")
        if text is None:
            text = example.inputs["question"] if self.task == "qa" else TASKS[self.task].text(example)
        return Place(self.files.get(table, table), example.row, column, excerpt(text, at))
