"""The first mapped rows as a person reads them: entities marked in their sentence, an answer marked in its passage.

Knows rows of every task. Rows that a task cannot read are left to the data check.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from demo import data_preview
from demo.markup import clip, safe, table, tag
from demo.parts.marked import marked
from engine.config import RunConfig
from engine.core.errors import UserError
from engine.core.text import Text
from engine.data.table import Table
from engine.schema import Example
from engine.tasks import TASKS
from engine.tasks.ner.marks import colours

ROWS = 4
_LOOKED_AT = 200  # rows among which those with entities are looked for
_AROUND = 110  # characters shown on each side of an answer
_LONGEST = 320  # characters of a sentence with entities


def preview_html(config: RunConfig, train: Table, columns: dict[str, str], language: str) -> str:
    """The first rows under the names of their roles and columns. Tagged and answered rows show what is tagged and answered."""
    if config.task in ("ner", "qa"):
        try:
            examples = data_preview.examples(config, train, columns, most=_LOOKED_AT)
        except UserError:
            examples = []  # the data check says which row and why; here the cells are shown as they are
        if examples and config.task == "ner":
            return _entities(examples, columns, language)
        if examples:
            return _answers(examples, columns, language)
    return _cells(config.task, train, columns, language)


def _cells(task: str, train: Table, columns: dict[str, str], language: str) -> str:
    roles = [role for role in TASKS[task].roles if columns.get(role.name) in train.columns]
    if not roles:
        return ""
    rows = [
        [clip(_cell(train.frame[columns[role.name]].iloc[index])) for role in roles]
        for index in range(min(ROWS, len(train)))
    ]
    return table([_head(task, role.name, columns, language) for role in roles], rows, "tb-preview")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _head(task: str, role: str, columns: dict[str, str], language: str) -> str:
    label: Text = next(found.label for found in TASKS[task].roles if found.name == role)
    return f"{safe(label.in_language(language))}<small>{safe(columns.get(role, ''))}</small>"


def _entities(examples: list[Example], columns: dict[str, str], language: str) -> str:
    role = "tokens" if "tokens" in columns and "text" not in columns else "text"
    # Rows with entities first: a preview of four sentences without any says nothing.
    shown = [*islice((e for e in examples if e.target), ROWS)] or examples[:ROWS]
    chosen = colours(span["label"] for example in examples for span in example.target)
    head = _head("ner", role, columns, language)
    rows = [[marked(e.inputs["text"], e.target, chosen, end=_LONGEST)] for e in shown]
    return table([head], rows, "tb-preview tb-marked")


def _answers(examples: list[Example], columns: dict[str, str], language: str) -> str:
    heads = [_head("qa", role, columns, language) for role in ("question", "context", "answers")]
    rows = []
    for example in examples[:ROWS]:
        context = example.inputs["context"]
        if example.target:
            answer = example.target[0]
            rows.append([clip(example.inputs["question"]), _around(context, answer), clip(answer["text"])])
        else:
            rows.append([clip(example.inputs["question"]), clip(context, 2 * _AROUND), "–"])
    return table(heads, rows, "tb-preview tb-marked")


def _around(context: str, answer: dict[str, Any]) -> str:
    start, end = answer["start"], answer["start"] + len(answer["text"])
    first, last = max(0, start - _AROUND), min(len(context), end + _AROUND)
    return (
        ("…" if first else "")
        + safe(context[first:start])
        + tag("mark", safe(context[start:end]), class_="tb-hit")
        + safe(context[end:last])
        + ("…" if last < len(context) else "")
    )
