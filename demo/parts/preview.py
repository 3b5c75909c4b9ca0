"""The first mapped rows as a person reads them: entities marked in their sentence, an answer marked in its passage.

Knows rows of every task. Rows that a task cannot read are left to the data check.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from demo import survey
from demo.markup import clip, safe, table, tag
from engine.config import RunConfig
from engine.data.table import Table
from engine.errors import UserError
from engine.tasks.base import Example
from engine.tasks.roles import ROLES
from engine.text import Text

ROWS = 4
_LOOKED_AT = 200  # rows among which those with entities are looked for
_AROUND = 110  # characters shown on each side of an answer
_LONGEST = 320  # characters of a sentence with entities


def preview_html(config: RunConfig, train: Table, columns: dict[str, str], language: str) -> str:
    """The first rows under the names of their roles and columns. Tagged and answered rows show what is tagged and answered."""
    if config.task in ("ner", "qa"):
        try:
            examples = survey.examples(config, train, columns, most=_LOOKED_AT)
        except UserError:
            examples = []  # the data check says which row and why; here the cells are shown as they are
        if examples and config.task == "ner":
            return _entities(examples, columns, language)
        if examples:
            return _answers(examples, columns, language)
    return _cells(config.task, train, columns, language)


def _cells(task: str, train: Table, columns: dict[str, str], language: str) -> str:
    roles = [role for role in ROLES[task] if columns.get(role.name) in train.columns]
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
    label: Text = next(found.label for found in ROLES[task] if found.name == role)
    return f"{safe(label.in_language(language))}<small>{safe(columns.get(role, ''))}</small>"


def _entities(examples: list[Example], columns: dict[str, str], language: str) -> str:
    role = "tokens" if "tokens" in columns and "text" not in columns else "text"
    # Rows with entities first: a preview of four sentences without any says nothing.
    shown = [*islice((e for e in examples if e.target), ROWS)] or examples[:ROWS]
    head = _head("ner", role, columns, language)
    return table([head], [[marked(e.inputs["text"], e.target)] for e in shown], "tb-preview tb-marked")


def marked(text: str, spans: Any, longest: int = _LONGEST) -> str:
    """A text with its entities marked and named; where they overlap, the one that begins first. Cut after `longest` characters."""
    parts: list[str] = []
    at = 0
    for span in sorted(spans, key=lambda span: (span["start"], -span["end"])):
        start, end = span["start"], span["end"]
        if start < at:
            continue
        if start >= longest:
            break
        parts.append(safe(text[at:start]))
        parts.append(tag("mark", safe(text[start:end]) + tag("small", safe(span["label"])), class_="tb-entity"))
        at = end
    rest = text[at : max(at, longest)]
    return "".join(parts) + safe(rest) + ("…" if at + len(rest) < len(text) else "")


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
        + tag("mark", safe(context[start:end]), class_="tb-entity")
        + safe(context[end:last])
        + ("…" if last < len(context) else "")
    )
