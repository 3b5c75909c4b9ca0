"""The text classification tab: its words, its overview of the data, and how its answers are shown."""

from __future__ import annotations

from demo import data_preview
from demo.i18n import words
from demo.parts.overview import distribution_html
from demo.parts.tab_spec import AnswerView, TabSpec
from demo.tabs.classification import answers
from engine.config import RunConfig
from engine.data.table import Table


def class_balance(config: RunConfig, train: Table, columns: dict[str, str], language: str) -> str:
    """How many rows each class has, as bars."""
    column = columns.get("label")
    if column is None or column not in train.columns:
        return ""
    counts = data_preview.class_counts(train, column, config.data.label_separator)
    return distribution_html(counts, words("classification.classes"), words("classification.more_classes"), language)


TAB = TabSpec(
    name="classification",
    title=words("classification.title"),
    promise=words("classification.promise"),
    overview=class_balance,
    answers=AnswerView(answers.answer_html, answers.batch_html, answers.target_of),
    placeholders=dict.fromkeys(("text", "text_pair"), words("try.placeholder_text")),
    lines={"text_pair": 2},
)
