"""The tab of stars."""

from __future__ import annotations

from typing import Any

from demo.markup import bar, safe, table
from demo.parts.tab_spec import AnswerView, TabSpec
from engine.core.text import Text


def answer_html(row: dict[str, str], tuned: dict[str, Any], base: dict[str, Any] | None, language: str) -> str:
    answers = {"tuned": tuned, "base": base}
    return "".join(bar(name, one["stars"] / 5, f"{one['stars']:.1f}") for name, one in answers.items() if one)


def batch_html(rows: list[dict[str, str]], answers: list[dict[str, Any]], language: str) -> str:
    cells = [[safe(row["sentence"]), safe(answer["shown"])] for row, answer in zip(rows, answers, strict=False)]
    return table(["sentence", "stars"], cells)


TAB = TabSpec(
    name="stars",
    title=Text("Stars", "星级"),
    promise=Text("Gives sentences one to five stars.", "为句子打一到五星。"),
    answers=AnswerView(answer_html, batch_html, lambda row: f"{row['target']:g}"),
    ask=Text("Give stars", "打分"),
)
