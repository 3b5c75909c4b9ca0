"""The text classification tab: what is special to it."""

from __future__ import annotations

from demo.i18n import words
from demo.parts.data_step import class_balance
from demo.parts.playground import AnswerParts
from demo.parts.task_tab import Task
from demo.tabs.classification import answers

TASK = Task(
    name="classification",
    title=words("classification.title"),
    promise=words("classification.promise"),
    labels=class_balance,
    answers=AnswerParts(answers.answer_html, answers.batch_html, answers.target_of),
)
