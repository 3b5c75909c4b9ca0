"""The text classification tab: its words, its overview of the data, and how its answers are shown."""

from __future__ import annotations

from collections import Counter
from typing import Any

from demo import data_preview
from demo.i18n import words
from demo.markup import bar, clip, count, percent, safe, table
from demo.parts.overview import distribution_html
from demo.parts.tab_spec import AnswerView, TabSpec
from engine.config import RunConfig
from engine.data.table import Table
from engine.tasks.classification.model import label_text

SHOWN_CLASSES = 6
PREVIEW_ROWS = 8


def class_balance(config: RunConfig, train: Table, columns: dict[str, str], language: str) -> str:
    """How many rows each class has, as bars."""
    column = columns.get("label")
    if column is None or column not in train.columns:
        return ""
    counts = data_preview.class_counts(train, column, config.data.label_separator)
    return distribution_html(counts, words("classification.classes"), words("classification.more_classes"), language)


def answer_html(row: dict[str, str], tuned: dict[str, Any], base: dict[str, Any] | None, language: str) -> str:
    """The tuned answer in large, its probabilities as bars, and the answer of the untuned model beside it."""
    columns = _one_answer(words("try.tuned").in_language(language), tuned, language, "accent")
    if base is not None:
        columns += _one_answer(words("try.base").in_language(language), base, language, "quiet")
    note = ""
    if tuned.get("windows", 1) > 1:
        note = f'<p class="tb-quiet">{safe(words("try.windows", windows=tuned["windows"]).in_language(language))}</p>'
    return f'<div class="tb-answer">{columns}</div>{note}'


def _one_answer(title: str, answer: dict[str, Any], language: str, kind: str) -> str:
    given = label_text(answer) or words("try.none").in_language(language)
    shown = list(answer["probabilities"].items())[:SHOWN_CLASSES]
    bars = "".join(bar(label, probability, percent(probability, 0), kind) for label, probability in shown)
    rest = len(answer["probabilities"]) - len(shown)
    more = f'<p class="tb-quiet">{safe(words("try.more", classes=rest).in_language(language))}</p>' if rest > 0 else ""
    return f'<section class="tb-answer-{kind}"><h4>{safe(title)}</h4><p class="tb-said">{safe(given)}</p><div class="tb-bars">{bars}</div>{more}</section>'


def batch_html(rows: list[dict[str, str]], answers: list[dict[str, Any]], language: str) -> str:
    """How the answers are spread, and the first of them."""
    counts = Counter(label_text(answer) for answer in answers)
    most = max(counts.values())
    bars = "".join(bar(label, number / most, count(number)) for label, number in counts.most_common(SHOWN_CLASSES))
    say = lambda key: safe(words(key).in_language(language))  # noqa: E731
    first = [
        [clip(" / ".join(row.values()), 160), f"<b>{safe(label_text(answer))}</b>", percent(answer["confidence"], 0)]
        for row, answer in zip(rows[:PREVIEW_ROWS], answers, strict=False)
    ]
    head = [say("try.text"), say("try.answer"), say("try.confidence")]
    return f'<div class="tb-bars">{bars}</div>{table(head, first, "", frozenset({2}))}'


def target_of(row: dict[str, Any]) -> str:
    """A test row's label, or all of them."""
    target = row["target"]
    return ", ".join(target) if isinstance(target, list) else str(target)


TAB = TabSpec(
    name="classification",
    title=words("classification.title"),
    promise=words("classification.promise"),
    overview=class_balance,
    answers=AnswerView(answer_html, batch_html, target_of),
    placeholders=dict.fromkeys(("text", "text_pair"), words("try.placeholder_text")),
    lines={"text_pair": 2},
)
