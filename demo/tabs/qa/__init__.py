"""The question answering tab: its words, its overview of the data and preview of rows, and how its answers are shown."""

from __future__ import annotations

from statistics import median
from typing import Any

from demo import data_preview
from demo.i18n import words
from demo.markup import clip, count, safe, table, tag
from demo.parts.overview import bars_html, heading_html, line_html
from demo.parts.preview import ROWS, role_heading
from demo.parts.tab_spec import AnswerView, TabSpec
from demo.tabs.qa import answers
from engine.config import RunConfig
from engine.data.table import Table
from engine.schema import Example

CONTEXT_CHARACTERS = 110  # shown on each side of an answer


def answer_overview(config: RunConfig, table: Table, columns: dict[str, str], language: str) -> str:
    """How many questions are answered and how many not, and how long answers and contexts are."""
    examples = data_preview.examples(config, table, columns)
    if not examples:
        return ""
    answered = [example for example in examples if example.target]
    counts = [(words("qa.answerable").in_language(language), len(answered))]
    if len(answered) < len(examples):
        counts.append((words("qa.unanswerable").in_language(language), len(examples) - len(answered)))
    contexts = {example.inputs["context"] for example in examples}
    lengths = words(
        "qa.contexts",
        contexts=count(len(contexts)),
        context=count(median(map(len, contexts))),
        answer=count(median(len(example.target[0]["text"]) for example in answered) if answered else 0),
    )
    title = words("qa.questions", questions=count(len(examples)))
    bars = bars_html(counts, len(examples), len(examples))
    return heading_html(title, language) + bars + line_html(lengths, language)


def preview(examples: list[Example], columns: dict[str, str], language: str) -> str:
    """The first questions, each with its answer marked in the context."""
    headings = [role_heading(TAB.task, role, columns, language) for role in ("question", "context", "answers")]
    rows = []
    for example in examples[:ROWS]:
        context = example.inputs["context"]
        if example.target:
            answer = example.target[0]
            rows.append([clip(example.inputs["question"]), _around(context, answer), clip(answer["text"])])
        else:
            rows.append([clip(example.inputs["question"]), clip(context, 2 * CONTEXT_CHARACTERS), "–"])
    return table(headings, rows, "tb-preview tb-marked")


def _around(context: str, answer: dict[str, Any]) -> str:
    """The answer marked in the context around it."""
    start, end = answer["start"], answer["start"] + len(answer["text"])
    first, last = max(0, start - CONTEXT_CHARACTERS), min(len(context), end + CONTEXT_CHARACTERS)
    return (
        ("…" if first else "")
        + safe(context[first:start])
        + tag("mark", safe(context[start:end]), class_="tb-hit")
        + safe(context[end:last])
        + ("…" if last < len(context) else "")
    )


TAB = TabSpec(
    name="qa",
    title=words("qa.title"),
    promise=words("qa.promise"),
    overview=answer_overview,
    preview=preview,
    answers=AnswerView(
        answers.answer_html,
        answers.batch_html,
        answers.target_of,
        split=answers.questions_of,
        together=answers.answers_html,
    ),
    suggestions=words("qa.suggestions"),
    placeholders={"context": words("qa.placeholder_context"), "question": words("qa.placeholder_question")},
    lines={"context": 7},
    suggested_input="question",
)
