"""The named-entity tab: its words, its overview of the data and preview of rows, and how its answers are shown."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

from demo import data_preview
from demo.i18n import words
from demo.markup import bar, count, safe, table
from demo.parts.marked import legend, marked
from demo.parts.overview import caption_html, distribution_html
from demo.parts.preview import ROWS, role_heading
from demo.parts.tab_spec import AnswerView, TabSpec
from engine.config import RunConfig
from engine.core.text import Text
from engine.data.table import Table
from engine.schema import Example
from engine.tasks.ner.marks import colours

PREVIEW_ROWS = 8
PREVIEW_CHARACTERS = 320
SHOWN_TYPES = 12


def entity_balance(config: RunConfig, table: Table, columns: dict[str, str], language: str) -> str:
    """How many entities of each type there are, as bars, and how many rows have none."""
    examples = data_preview.examples(config, table, columns)
    counts = Counter(span["label"] for example in examples for span in example.target)
    if not counts:
        return ""
    empty = sum(not example.target for example in examples)
    totals = words("ner.entities", entities=count(counts.total()), rows=count(len(examples)), empty=count(empty))
    bars = distribution_html(counts.most_common(), words("ner.type_count"), words("ner.more_types"), language)
    return bars + caption_html(totals, language)


def preview(examples: list[Example], columns: dict[str, str], language: str) -> str:
    """The first rows with their entities marked; rows without entities only where there are no others."""
    rows = [*islice((example for example in examples if example.target), ROWS)] or examples[:ROWS]
    colour_of = colours(span["label"] for example in examples for span in example.target)
    role = "tokens" if "tokens" in columns and "text" not in columns else "text"
    cells = [[marked(row.inputs["text"], row.target, colour_of, end=PREVIEW_CHARACTERS)] for row in rows]
    return table([role_heading(TAB.task, role, columns, language)], cells, "tb-preview tb-marked")


def answer_html(row: dict[str, str], tuned: dict[str, Any], base: dict[str, Any] | None, language: str) -> str:
    """The text as the tuned model marks it, and beside it as the untuned one would."""
    colour_of = colours(tuned["types"])
    columns = _one_answer(words("try.tuned"), row["text"], tuned, colour_of, language, "accent")
    if base is not None:
        columns += _one_answer(words("try.base"), row["text"], base, colour_of, language, "quiet")
    note = ""
    if tuned["windows"] > 1:
        note = f'<p class="tb-quiet">{safe(words("try.windows", windows=tuned["windows"]).in_language(language))}</p>'
    return f'<div class="tb-answer">{columns}</div>{note}'


def _one_answer(
    title: Text, text: str, answer: dict[str, Any], colour_of: dict[str, int], language: str, kind: str
) -> str:
    entities = answer["entities"]
    type_counts = legend(Counter(entity["label"] for entity in entities), colour_of)
    none = f'<p class="tb-quiet">{safe(words("ner.none").in_language(language))}</p>'
    return (
        f'<section class="tb-answer-{kind}"><h4>{safe(title.in_language(language))}</h4>'
        f'<div class="tb-read-text" tabindex="0">{marked(text, entities, colour_of)}</div>{type_counts or none}</section>'
    )


def batch_html(rows: list[dict[str, Any]], answers: list[dict[str, Any]], language: str) -> str:
    """The number of predicted entities of each type, and the first texts with theirs."""
    counts = Counter(entity["label"] for answer in answers for entity in answer["entities"])
    colour_of = colours(answers[0]["types"])
    most = max(counts.values(), default=1)
    bars = "".join(bar(label, number / most, count(number)) for label, number in counts.most_common(SHOWN_TYPES))
    first = [
        [marked(row["text"], answer["entities"], colour_of, end=PREVIEW_CHARACTERS)]
        for row, answer in zip(rows[:PREVIEW_ROWS], answers, strict=False)
    ]
    none = "" if counts else f'<p class="tb-quiet">{safe(words("ner.none").in_language(language))}</p>'
    head = [safe(words("try.text").in_language(language))]
    return f'<div class="tb-bars">{bars}</div>{none}{table(head, first, "tb-marked")}'


def target_of(row: dict[str, Any]) -> str:
    """The types of a test row's entities."""
    return ", ".join(sorted({span["label"] for span in row["target"]}))


TAB = TabSpec(
    name="ner",
    title=words("ner.title"),
    promise=words("ner.promise"),
    overview=entity_balance,
    preview=preview,
    answers=AnswerView(answer_html, batch_html, target_of),
    placeholders={"text": words("try.placeholder_text")},
    answers_while_typing=True,
)
