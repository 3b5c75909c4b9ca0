"""The named-entity tab: what is special to it."""

from __future__ import annotations

from demo.i18n import words
from demo.parts.overviews import entity_balance
from demo.parts.playground import AnswerParts
from demo.parts.task_tab import Task
from demo.tabs.ner import answers

TASK = Task(
    name="ner",
    title=words("ner.title"),
    promise=words("ner.promise"),
    labels=entity_balance,
    answers=AnswerParts(answers.answer_html, answers.batch_html, answers.target_of, live=True),
)
