"""TabSpec: what is special to a task's tab. Its words, and how its rows and answers are shown.

Plain data and functions from rows and answers to markup. What the task itself is (columns, inputs, methods) comes from its TaskSpec.
Knows no component of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.i18n import words
from engine.config import RunConfig
from engine.core.text import Text
from engine.data.table import Table
from engine.schema import GENERATIVE, Example
from engine.tasks import TASKS
from engine.tasks.spec import TaskSpec

Row = dict[str, str]  # the inputs of one question to the model, by role
Answer = dict[str, Any]  # one element of what the task's model returns from `answers`


@dataclass(frozen=True)
class AnswerView:
    """How the answers of a task are shown, as markup in one language.

    one: (row, tuned, untuned, language), the answers to one row. `untuned` is None where the model has no answer before training;
        where answers are streamed, `tuned` is None before the first token.
    many: (rows, answers, language), the first answers to a file.
    target: (test row), its reference answer in a few words, as plain text.
    split: the rows in what was typed, where that may be several (questions about one text). None: what is typed is one row.
    together: (rows, tuned, untuned, language), the answers to the rows of `split`.
    """

    one: Callable[[Row, Any, Answer | None, str], str]  # `tuned` is an Answer, or None too where answers are streamed
    many: Callable[[list[Row], list[Answer], str], str]
    target: Callable[[dict[str, Any]], str]
    split: Callable[[Row], list[Row]] | None = None
    together: Callable[[list[Row], list[Answer], list[Answer] | None, str], str] | None = None


@dataclass(frozen=True)
class TabSpec:
    """A tab of the page. `overview` and `preview` return markup.

    overview: (config, training table, column of each role, language), what the rows hold to learn from, shown below them.
    preview: (examples, column of each role, language), the first rows as the task reads them. None: their cells as they are.
    """

    name: str  # of the task in TASKS; also the id of the tab, and the prefix of its components' ids
    title: Text
    promise: Text  # one sentence: what the trained model does
    answers: AnswerView
    overview: Callable[[RunConfig, Table, dict[str, str], str], str] | None = None
    preview: Callable[[list[Example], dict[str, str], str], str] | None = None
    ask: Text = field(default_factory=lambda: words("try.ask"))  # the button that asks the model
    suggestions: Text = field(default_factory=lambda: words("try.suggestions"))  # above the test rows to click
    placeholders: Mapping[str, Text] = field(
        default_factory=dict
    )  # of inputs; where none is given, the help of the role
    lines: Mapping[str, int] = field(default_factory=dict)  # height of inputs that are not of three lines
    suggested_input: str = ""  # the input by which a test row is suggested; empty: all of them
    answers_while_typing: bool = False  # for models whose answer to a changed text is there at once

    @property
    def task(self) -> TaskSpec:
        return TASKS[self.name]

    @property
    def streams(self) -> bool:
        """Whether answers are generated: shown as they grow, with a stop button and controls of length and style."""
        return self.task.kind == GENERATIVE
