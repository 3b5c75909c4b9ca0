"""How a classifier's answers are shown: one text with its probabilities, a file of texts with the spread of its labels.

Knows what an answer holds (Classification.answers). Labels and texts are escaped.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from demo.i18n import words
from demo.markup import bar, clip, count, percent, safe, table
from engine.tasks.classification.model import label_text

SHOWN_CLASSES = 6
PREVIEW_ROWS = 8


def answer_html(row: dict[str, str], tuned: dict[str, Any], base: dict[str, Any] | None, language: str) -> str:
    """The tuned answer in large, its probabilities as bars, and what the untuned model would have said beside it."""
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
    spread = Counter(label_text(answer) for answer in answers)
    most = max(spread.values())
    bars = "".join(bar(label, number / most, count(number)) for label, number in spread.most_common(SHOWN_CLASSES))
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
