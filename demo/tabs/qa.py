"""The question answering tab: its words, its overview of the data and preview of rows, and how its answers are shown."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from demo import data_preview
from demo.i18n import words
from demo.markup import clip, count, percent, safe, table, tag
from demo.parts.overview import bars_html, caption_html, heading_html
from demo.parts.preview import ROWS, role_heading
from demo.parts.tab_spec import AnswerView, TabSpec
from engine.config import RunConfig
from engine.core.errors import UserError
from engine.data.table import Table
from engine.schema import Example

MAX_QUESTIONS = 50  # over one text at once
MAX_ALTERNATIVES = 3
MIN_CONFIDENCE = 0.005  # of an alternative that is shown
ANSWER_CHARACTERS = 400  # of an answer in large
PREVIEW_ROWS = 8
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
    return heading_html(title, language) + bars + caption_html(lengths, language)


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


@dataclass(frozen=True, slots=True)
class Mark:
    """[start, end) in characters. `place` is what a link calls it by, `note` is written small at its beginning; one that is not
    `strong` is only underlined.
    """

    start: int
    end: int
    place: str
    note: str = ""
    strong: bool = True
    title: str = ""


def marked_html(text: str, marks: Sequence[Mark]) -> str:
    """The text with its marks. Where several overlap, the piece belongs to all of them."""
    edges = sorted({0, len(text), *(edge for mark in marks for edge in (mark.start, mark.end) if 0 < edge < len(text))})
    parts = []
    for start, end in itertools.pairwise(edges):
        here = [mark for mark in marks if mark.start <= start and end <= mark.end]
        piece = safe(text[start:end])
        if not here:
            parts.append(piece)
            continue
        strong = [mark for mark in here if mark.strong]
        notes = "".join(f"<sup>{safe(mark.note)}</sup>" for mark in here if mark.note and mark.start == start)
        kind = "tb-hit" if strong else "tb-maybe"
        place = " ".join(mark.place for mark in here)
        title = next((f' title="{safe(mark.title)}"' for mark in here if mark.title), "")
        parts.append(f'<mark class="{kind}" data-place="{safe(place)}"{title}>{notes}{piece}</mark>')
    return "".join(parts)


def questions_of(row: dict[str, str]) -> list[dict[str, str]]:
    """One row for every line of the question that is not blank. UserError for more than MAX_QUESTIONS."""
    lines = [line.strip() for line in row["question"].splitlines() if line.strip()]
    if len(lines) > MAX_QUESTIONS:
        raise UserError("too_many_questions", words("qa.too_many", asked=len(lines), most=MAX_QUESTIONS))
    return [{**row, "question": line} for line in lines]


def answer_html(row: dict[str, str], tuned: dict[str, Any], base: dict[str, Any] | None, language: str) -> str:
    return answers_html([row], [tuned], [base] if base else None, language)


def answers_html(
    rows: list[dict[str, str]], tuned: list[dict[str, Any]], base: list[dict[str, Any]] | None, language: str
) -> str:
    """Every question with its answer, then the text with all answers marked in it."""
    several = len(rows) > 1
    items, marks = [], []
    for number, (row, answer) in enumerate(zip(rows, tuned, strict=True), start=1):
        before = base[number - 1] if base else None
        items.append(_item(number, row["question"], answer, before, several, language))
        marks += _marks(number, answer, several)
    windows = max(answer["windows"] for answer in tuned)
    note = ""
    if windows > 1:
        note = f'<p class="tb-quiet">{safe(words("qa.windows", windows=windows).in_language(language))}</p>'
    title = words("qa.in_the_text").in_language(language)
    return (
        f'<div class="tb-qa">{"".join(items)}</div><h4 class="tb-sub">{safe(title)}</h4>'
        f'<div class="tb-context" tabindex="0" role="region" aria-label="{safe(title)}">{marked_html(rows[0]["context"], marks)}</div>{note}'
    )


def _marks(number: int, answer: dict[str, Any], several: bool) -> list[Mark]:
    marks = [
        Mark(one["start"], one["end"], f"{number}-{place}", strong=False, title=percent(one["confidence"], 0))
        for place, one in enumerate(_alternatives(answer), start=1)
    ]
    if answer["start"] is not None:
        marks.append(Mark(answer["start"], answer["end"], str(number), str(number) if several else ""))
    return marks


def _alternatives(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in answer["alternatives"] if one["confidence"] >= MIN_CONFIDENCE][:MAX_ALTERNATIVES]


def _item(
    number: int, question: str, answer: dict[str, Any], before: dict[str, Any] | None, several: bool, language: str
) -> str:
    say = lambda key, **values: safe(words(key, **values).in_language(language))  # noqa: E731
    badge = f'<i class="tb-qa-number">{number}</i>' if several else ""
    if answer["answer"]:
        kind, link = "", f'<button type="button" class="tb-link" data-goto="{number}">{say("qa.show")}</button>'
        answer_line = f'<p class="tb-said">{clip(answer["answer"], ANSWER_CHARACTERS)}</p>'
        confidence = say("qa.sure", share=percent(answer["confidence"], 0))
    else:
        kind, link = " tb-qa-silent", ""
        answer_line = f'<p class="tb-said">{say("qa.no_answer")}</p>'
        confidence = say("qa.there_is_none", share=percent(answer["confidence"], 0))
        best = answer["best"]
        if best["text"]:
            near = say("qa.nearest", text=_short(best["text"], 80), share=percent(best["confidence"], 0))
            confidence += f" · {near}"
    others = "".join(
        f'<button type="button" class="tb-other" data-goto="{number}-{place}" title="{say("qa.show_other", text=_short(one["text"], 80))}">'
        f"{clip(one['text'], 60)}<small>{percent(one['confidence'], 0)}</small></button>"
        for place, one in enumerate(_alternatives(answer), start=1)
    )
    other = (
        f'<p class="tb-others"><span>{say("qa.elsewhere")}</span>{others}</p>' if others and answer["answer"] else ""
    )
    truncated = f'<p class="tb-quiet">{say("qa.question_cut")}</p>' if answer["question_cut"] else ""
    untuned = ""
    if before is not None:
        earlier = _short(before["answer"], 90) or words("qa.no_answer_short").in_language(language)
        untuned = f'<p class="tb-before">{say("qa.before_tuning", answer=earlier)}</p>'
    return (
        f'<section class="tb-qa-item{kind}"><h4>{badge}<span>{safe(question)}</span></h4>{answer_line}'
        f'<p class="tb-sure">{confidence} {link}</p>{other}{truncated}{untuned}</section>'
    )


def batch_html(rows: list[dict[str, str]], answers: list[dict[str, Any]], language: str) -> str:
    """How many were answered, and the first of them, each in its surroundings."""
    say = lambda key, **values: words(key, **values).in_language(language)  # noqa: E731
    answered = sum(bool(answer["answer"]) for answer in answers)
    line = say("qa.all_answered", rows=count(len(rows)))
    if answered < len(rows):
        line = say("qa.answered", answered=count(answered), rows=count(len(rows)))
    first = [
        [clip(row["question"], 140), _in_place(row["context"], answer, language), percent(answer["confidence"], 0)]
        for row, answer in zip(rows[:PREVIEW_ROWS], answers, strict=False)
    ]
    head = [
        safe(say("qa.question")),
        safe(words("try.answer").in_language(language)),
        safe(words("try.confidence").in_language(language)),
    ]
    return f'<p class="tb-quiet">{safe(line)}</p>{table(head, first, "tb-marked", frozenset({2}))}'


def _in_place(context: str, answer: dict[str, Any], language: str) -> str:
    if answer["start"] is None:
        return f'<span class="tb-quiet">{safe(words("qa.no_answer_short").in_language(language))}</span>'
    start, end = answer["start"], answer["end"]
    first, last = max(0, start - 50), min(len(context), end + 50)
    before, after = ("…" if first else ""), ("…" if last < len(context) else "")
    return (
        f'{before}{safe(context[first:start])}<mark class="tb-hit">{clip(context[start:end], 160)}</mark>'
        f"{safe(context[end:last])}{after}"
    )


def target_of(row: dict[str, Any]) -> str:
    """A test row's right answer, or a dash where there is none."""
    return str(row["target"][0]["text"]) if row["target"] else "–"


def _short(text: str, length: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


TAB = TabSpec(
    name="qa",
    title=words("qa.title"),
    promise=words("qa.promise"),
    overview=answer_overview,
    preview=preview,
    answers=AnswerView(
        answer_html,
        batch_html,
        target_of,
        split=questions_of,
        together=answers_html,
    ),
    suggestions=words("qa.suggestions"),
    placeholders={"context": words("qa.placeholder_context"), "question": words("qa.placeholder_question")},
    lines={"context": 7},
    suggested_input="question",
)
