"""Answers in the form that SQuAD's official evaluation reads: {question id: answer}, with an empty text for "no answer".

Knows tables and answers. Does not know how an answer is made.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from engine.data.cells import as_text
from engine.tasks.qa.columns import identifier_column

if TYPE_CHECKING:
    from engine.data.table import Table
    from engine.schema import Answered


def squad_predictions(table: Table, answered: Answered) -> str:
    """JSON of {id: answer} for the rows that were answered; a row without an id of its own goes by its number, from 1."""
    column = identifier_column(table.columns)
    given = table.frame[column].tolist() if column else [None] * len(table)
    answers_by_id: dict[str, str] = {}
    for number, (own, answer) in enumerate(zip(given, answered.answers, strict=True), start=1):
        if answer is not None:
            name = as_text(own).strip() or str(number)
            answers_by_id[name if name not in answers_by_id else f"{name}#{number}"] = answer["answer"]
    return json.dumps(answers_by_id, ensure_ascii=False, indent=1)
