"""The named-entity tab: its words, its overview of the data and preview of rows, and how its answers are shown."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from demo import data_preview
from demo.i18n import words
from demo.markup import count, table
from demo.parts.marked import marked
from demo.parts.overview import distribution_html, line_html
from demo.parts.preview import ROWS, role_heading
from demo.parts.tab_spec import AnswerView, TabSpec
from demo.tabs.ner import answers
from engine.config import RunConfig
from engine.data.table import Table
from engine.schema import Example
from engine.tasks.ner.marks import colours

PREVIEW_CHARACTERS = 320


def entity_balance(config: RunConfig, table: Table, columns: dict[str, str], language: str) -> str:
    """How many entities of each type there are, as bars, and how many rows have none."""
    examples = data_preview.examples(config, table, columns)
    counts = Counter(span["label"] for example in examples for span in example.target)
    if not counts:
        return ""
    empty = sum(not example.target for example in examples)
    totals = words("ner.entities", entities=count(counts.total()), rows=count(len(examples)), empty=count(empty))
    bars = distribution_html(counts.most_common(), words("ner.type_count"), words("ner.more_types"), language)
    return bars + line_html(totals, language)


def preview(examples: list[Example], columns: dict[str, str], language: str) -> str:
    """The first rows with their entities marked; rows without entities only where there are no others."""
    rows = [*islice((example for example in examples if example.target), ROWS)] or examples[:ROWS]
    colour_of = colours(span["label"] for example in examples for span in example.target)
    role = "tokens" if "tokens" in columns and "text" not in columns else "text"
    cells = [[marked(row.inputs["text"], row.target, colour_of, end=PREVIEW_CHARACTERS)] for row in rows]
    return table([role_heading(TAB.task, role, columns, language)], cells, "tb-preview tb-marked")


TAB = TabSpec(
    name="ner",
    title=words("ner.title"),
    promise=words("ner.promise"),
    overview=entity_balance,
    preview=preview,
    answers=AnswerView(answers.answer_html, answers.batch_html, answers.target_of),
    placeholders={"text": words("try.placeholder_text")},
    answers_while_typing=True,
)
