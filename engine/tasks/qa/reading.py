"""Question answering rows: context, question and the answers with their place in the context.

Knows the ways in which answers are written (SQuAD's lists, one text, several) and finds an answer again that has moved. Offsets
count Unicode code points. Does not know models or scores.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from engine.core.errors import LabelProblem
from engine.core.text import Text
from engine.data.cells import as_text, as_value
from engine.data.findings import counted, excerpt, first_places
from engine.data.table import Table
from engine.schema import Example, Notice, Place
from engine.tasks.qa.columns import identifier_column

_LONGEST_SEARCHED = 1000  # characters of an answer that is looked for by its words


def read_answers(table: Table, columns: Mapping[str, str]) -> tuple[list[Example], list[Notice]]:
    """Examples with target ({"text", "start"}, ...), the empty tuple for a question that the context does not answer.

    An answer without a place gets the first one at which it stands; one that stands elsewhere is moved to the nearest such
    place, with a notice. A row none of whose answers stands in the context is left out, with a notice.
    """
    file = table.source.name
    identifier = identifier_column(table.columns)
    frame = table.frame
    starts = frame[columns["answer_start"]].tolist() if "answer_start" in columns else [None] * len(table)
    identifiers = (
        frame[identifier].tolist() if identifier and identifier not in columns.values() else [None] * len(table)
    )
    examples: list[Example] = []
    empty: list[Place] = []
    moved: list[Place] = []
    lost: list[Place] = []
    for line, first, second, given, start, own in zip(
        table.lines,
        frame[columns["context"]],
        frame[columns["question"]],
        frame[columns["answers"]],
        starts,
        identifiers,
        strict=True,
    ):
        context, question = as_text(first), as_text(second).strip()
        if not context.strip() or not question:
            empty.append(Place(file, line, columns["question"] if context.strip() else columns["context"], question))
            continue
        target: list[dict[str, Any]] = []
        answers = _answers(as_value(given), as_value(start))
        for text, place in answers:
            span = _place(context, text, place)
            if span is None:
                continue
            start, end = span
            if context[start:end] != text or (place is not None and place >= 0 and start != place):
                moved.append(Place(file, line, columns["answers"], excerpt(text)))
            target.append({"text": context[start:end], "start": start})
        if answers and not target:
            lost.append(Place(file, line, columns["answers"], excerpt(answers[0][0])))
            continue
        inputs = {"context": context, "question": question}
        if own is not None:
            inputs["id"] = as_text(own)
        examples.append(Example(line, inputs, tuple(target)))
    return examples, _notices(empty, moved, lost)


def _answers(given: Any, start: Any) -> list[tuple[str, int | None]]:
    """(text, start) of every answer in a cell, without empty ones; start is None where none is given."""
    if isinstance(given, dict):
        texts = given.get("text", given.get("texts", []))
        starts = given.get("answer_start", given.get("start", given.get("starts")))
        return _answers(texts, starts)
    if isinstance(given, list):
        starts = start if isinstance(start, list) else [start] * len(given)
        starts = [*starts, *[None] * (len(given) - len(starts))]
        return [pair for item, one in zip(given, starts, strict=False) for pair in _answers(item, one)]
    text = as_text(given)
    if not text.strip():
        return []
    return [(text, _whole(start[0] if isinstance(start, list) and start else start))]


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value.strip()):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return int(value)
    return None


def _place(context: str, text: str, start: int | None) -> tuple[int, int] | None:
    """Where the answer stands, [start, end): at `start`, else nearest to it, else first; None where it does not stand at all.

    Where it does not stand word for word, blanks, case and width may differ: what the context has is the answer then.
    """
    if start is not None and start >= 0 and context.startswith(text, start):
        return start, start + len(text)
    spans = [match.span() for match in re.finditer(re.escape(text), context)] or _loosely(context, text)
    if start is None or start < 0:
        return spans[0] if spans else None
    return min(spans, key=lambda span: abs(span[0] - start), default=None)


def _loosely(context: str, text: str) -> list[tuple[int, int]]:
    """The places at which an answer stands but for blanks, case and full-width forms."""
    words = text.split()
    if not words or len(text) > _LONGEST_SEARCHED:
        return []
    # Character by character, so that offsets stay: a form whose narrow one is longer is left as it is.
    narrow = "".join(n if len(n := unicodedata.normalize("NFKC", c)) == 1 else c for c in context)
    words = [unicodedata.normalize("NFKC", word) for word in words]
    return [match.span() for match in re.finditer(r"\s+".join(map(re.escape, words)), narrow, re.IGNORECASE)]


def _notices(empty: list[Place], moved: list[Place], lost: list[Place]) -> list[Notice]:
    notices = []
    if empty:
        notices.append(
            Notice(
                "empty_text",
                "warning",
                Text(
                    f"{counted(len(empty), 'row lacks', 'rows lack')} a context or a question; left out.",
                    f"{len(empty)} 行缺少原文或问题，已略过。",
                ),
                len(empty),
                first_places(empty),
            )
        )
    if moved:
        notices.append(
            Notice(
                "answer_moved",
                "warning",
                Text(
                    f"{counted(len(moved), 'answer did', 'answers did')} not stand where the file says; found again.",
                    f"{len(moved)} 个答案的位置与原文不符，已重新定位。",
                ),
                len(moved),
                first_places(moved),
            )
        )
    if lost:
        notices.append(
            Notice(
                "answer_not_in_context",
                "error",
                Text(
                    f"{counted(len(lost), 'row was', 'rows were')} left out: their answer does not stand in the context word for word.",
                    f"{len(lost)} 行的答案没有原样出现在原文中，已略过。",
                ),
                len(lost),
                first_places(lost),
            )
        )
    return notices


def require_answers(examples: Sequence[Example]) -> None:
    """Raise LabelProblem where no training question has an answer."""
    if not any(example.target for example in examples):
        raise LabelProblem(
            "no_answers",
            Text("No training question has an answer.", "训练数据中没有任何带答案的问题。"),
            Text("Choose the column that holds the answers.", "请选择包含答案的列。"),
        )
