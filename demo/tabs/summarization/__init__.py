"""The summarization tab: what is special to it."""

from __future__ import annotations

from demo.i18n import words
from demo.parts.overviews import summary_overview
from demo.parts.playground import AnswerParts
from demo.parts.task_tab import Task
from demo.tabs.summarization import answers

TASK = Task(
    name="summarization",
    title=words("summarization.title"),
    promise=words("summarization.promise"),
    labels=summary_overview,
    answers=AnswerParts(
        answers.answer_html,
        answers.batch_html,
        answers.target_of,
        suggestions=words("summarization.suggestions"),
        writes=True,
    ),
)
