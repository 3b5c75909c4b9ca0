"""The text classification tab: what is special to it."""

from __future__ import annotations

from demo.i18n import words
from demo.parts.data_step import class_balance
from demo.parts.task_tab import Task

TASK = Task(
    name="classification",
    title=words("classification.title"),
    promise=words("classification.promise"),
    example="rated-sentences",
    inputs=("text", "text_pair"),
    labels=class_balance,
)
