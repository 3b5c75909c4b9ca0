"""How a tagger's answers are shown: the text with its entities marked, tuned and untuned side by side, or the first of a file.

Knows what an answer holds (Ner.answers). Texts and types are escaped.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from demo.i18n import words
from demo.markup import bar, count, safe, table
from demo.parts.marked import legend, marked
from engine.core.text import Text
from engine.tasks.ner.marks import colours

PREVIEW_ROWS = 8
PREVIEW_CHARACTERS = 320
SHOWN_TYPES = 12


def answer_html(row: dict[str, str], tuned: dict[str, Any], base: dict[str, Any] | None, language: str) -> str:
    """The text as the tuned model marks it, and beside it as the untuned one would."""
    named = colours(tuned["types"])
    columns = _one_answer(words("try.tuned"), row["text"], tuned, named, language, "accent")
    if base is not None:
        columns += _one_answer(words("try.base"), row["text"], base, named, language, "quiet")
    note = ""
    if tuned["windows"] > 1:
        note = f'<p class="tb-quiet">{safe(words("try.windows", windows=tuned["windows"]).in_language(language))}</p>'
    return f'<div class="tb-answer">{columns}</div>{note}'


def _one_answer(title: Text, text: str, answer: dict[str, Any], named: dict[str, int], language: str, kind: str) -> str:
    entities = answer["entities"]
    found = legend(Counter(entity["label"] for entity in entities), named)
    none = f'<p class="tb-quiet">{safe(words("ner.none").in_language(language))}</p>'
    return (
        f'<section class="tb-answer-{kind}"><h4>{safe(title.in_language(language))}</h4>'
        f'<div class="tb-read-text" tabindex="0">{marked(text, entities, named)}</div>{found or none}</section>'
    )


def batch_html(rows: list[dict[str, Any]], answers: list[dict[str, Any]], language: str) -> str:
    """How many entities of each type were found, and the first texts with theirs."""
    spread = Counter(entity["label"] for answer in answers for entity in answer["entities"])
    named = colours(answers[0]["types"])
    most = max(spread.values(), default=1)
    bars = "".join(bar(label, number / most, count(number)) for label, number in spread.most_common(SHOWN_TYPES))
    first = [
        [marked(row["text"], answer["entities"], named, end=PREVIEW_CHARACTERS)]
        for row, answer in zip(rows[:PREVIEW_ROWS], answers, strict=False)
    ]
    none = "" if spread else f'<p class="tb-quiet">{safe(words("ner.none").in_language(language))}</p>'
    head = [safe(words("try.text").in_language(language))]
    return f'<div class="tb-bars">{bars}</div>{none}{table(head, first, "tb-marked")}'


def target_of(row: dict[str, Any]) -> str:
    """The types of a test row's entities."""
    return ", ".join(sorted({span["label"] for span in row["target"]}))
