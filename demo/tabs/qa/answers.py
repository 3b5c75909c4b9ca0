"""How found answers are shown: one text with several questions, each with its answer marked in place; a file of questions.

Knows what an answer holds (QuestionAnswering.answers). Texts and questions are escaped.
"""

from __future__ import annotations

from typing import Any

from demo.i18n import words
from demo.markup import clip, count, percent, safe, table
from demo.tabs.qa.passage import Mark, marked_html
from engine.core.errors import UserError

MOST_QUESTIONS = 50  # over one text at once
SHOWN_ELSEWHERE = 3
LEAST_SHARE = 0.005  # of an alternative that is worth showing
LONG = 400  # characters of an answer that are shown in large
PREVIEW_ROWS = 8


def questions_of(row: dict[str, str]) -> list[dict[str, str]]:
    """One row for every line of what was asked, blank ones left out. UserError for more than MOST_QUESTIONS."""
    lines = [line.strip() for line in row["question"].splitlines() if line.strip()]
    if len(lines) > MOST_QUESTIONS:
        raise UserError("too_many_questions", words("qa.too_many", asked=len(lines), most=MOST_QUESTIONS))
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
    found = [
        Mark(one["start"], one["end"], f"{number}-{place}", strong=False, title=percent(one["confidence"], 0))
        for place, one in enumerate(_elsewhere(answer), start=1)
    ]
    if answer["start"] is not None:
        found.append(Mark(answer["start"], answer["end"], str(number), str(number) if several else ""))
    return found


def _elsewhere(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in answer["alternatives"] if one["confidence"] >= LEAST_SHARE][:SHOWN_ELSEWHERE]


def _item(
    number: int, question: str, answer: dict[str, Any], before: dict[str, Any] | None, several: bool, language: str
) -> str:
    say = lambda key, **values: safe(words(key, **values).in_language(language))  # noqa: E731
    badge = f'<i class="tb-qa-number">{number}</i>' if several else ""
    if answer["answer"]:
        kind, link = "", f'<button type="button" class="tb-link" data-goto="{number}">{say("qa.show")}</button>'
        said = f'<p class="tb-said">{clip(answer["answer"], LONG)}</p>'
        sure = say("qa.sure", share=percent(answer["confidence"], 0))
    else:
        kind, link = " tb-qa-silent", ""
        said = f'<p class="tb-said">{say("qa.no_answer")}</p>'
        sure = say("qa.there_is_none", share=percent(answer["confidence"], 0))
        best = answer["best"]
        if best["text"]:
            near = say("qa.nearest", text=_short(best["text"], 80), share=percent(best["confidence"], 0))
            sure += f" · {near}"
    others = "".join(
        f'<button type="button" class="tb-other" data-goto="{number}-{place}" title="{say("qa.show_other", text=_short(one["text"], 80))}">'
        f"{clip(one['text'], 60)}<small>{percent(one['confidence'], 0)}</small></button>"
        for place, one in enumerate(_elsewhere(answer), start=1)
    )
    other = (
        f'<p class="tb-others"><span>{say("qa.elsewhere")}</span>{others}</p>' if others and answer["answer"] else ""
    )
    cut = f'<p class="tb-quiet">{say("qa.question_cut")}</p>' if answer["question_cut"] else ""
    was = ""
    if before is not None:
        earlier = _short(before["answer"], 90) or words("qa.no_answer_short").in_language(language)
        was = f'<p class="tb-before">{say("qa.before_tuning", answer=earlier)}</p>'
    return (
        f'<section class="tb-qa-item{kind}"><h4>{badge}<span>{safe(question)}</span></h4>{said}'
        f'<p class="tb-sure">{sure} {link}</p>{other}{cut}{was}</section>'
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
