"""The question answering tab: what is special to it."""

from __future__ import annotations

from demo.i18n import words
from demo.parts.overviews import answer_overview
from demo.parts.playground import AnswerParts
from demo.parts.task_tab import Task
from demo.tabs.qa import answers

TASK = Task(
    name="qa",
    title=words("qa.title"),
    promise=words("qa.promise"),
    labels=answer_overview,
    answers=AnswerParts(
        answers.answer_html,
        answers.batch_html,
        answers.target_of,
        split=answers.questions_of,
        together=answers.answers_html,
        suggestions=words("qa.suggestions"),
        asks="question",
    ),
)
