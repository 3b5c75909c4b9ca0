"""How written summaries are shown: the tuned and the untuned one side by side as they grow, and a file of documents.

Knows what an answer holds (GenerativeTask.answers). Everything is escaped.
"""

from __future__ import annotations

from typing import Any

from demo.i18n import words
from demo.markup import clip, count, safe, table
from engine.report.html import line_html
from engine.tasks.summarization.origins import LEGEND, marked
from engine.tasks.summarization.rouge import Characters

PREVIEW_ROWS = 8
_split = Characters().tokenize


def answer_html(row: dict[str, str], tuned: dict[str, Any] | None, base: dict[str, Any] | None, language: str) -> str:
    """Both summaries, as far as they are written. None has not begun; `growing` says that more is coming."""
    columns = _one(words("try.tuned"), row, tuned, language, "accent")
    if base is not None:
        columns += _one(words("try.base"), row, base, language, "quiet")
    note = ""
    if tuned is not None and tuned.get("parts", 1) > 1:
        note = words("summarization.in_parts", parts=tuned["parts"]).in_language(language)
    elif tuned is not None and tuned.get("cut"):
        note = words("generation.was_cut").in_language(language)
    note = f'<p class="tb-quiet">{safe(note)}</p>' if note else ""
    return f'<div class="tb-answer tb-summaries">{columns}</div>{note}{_legend(language)}'


def _one(title: Any, row: dict[str, str], answer: dict[str, Any] | None, language: str, kind: str) -> str:
    say = lambda key, **values: safe(words(key, **values).in_language(language))  # noqa: E731
    text = answer["summary"] if answer else ""
    growing = answer is None or answer.get("growing", False)
    if text:
        body = line_html(marked(row["document"], text), language)
    elif growing:
        body = f'<span class="tb-quiet">{say("generation.reading")}</span>'
    else:
        body = f'<span class="tb-quiet">{say("generation.empty")}</span>'
    cursor = '<i class="tb-cursor" aria-hidden="true"></i>' if growing else ""
    fact = ""
    if text and not growing:
        said, read = len(_split(text)), len(_split(row["document"]))
        key = "generation.stopped" if answer and answer.get("stopped") else "summarization.length"
        fact = f'<p class="tb-sure">{say(key, words=count(said), document=count(read))}</p>'
    return (
        f'<section class="tb-answer-{kind}" aria-live="polite" aria-busy="{"true" if growing else "false"}">'
        f'<h4>{safe(title.in_language(language))}</h4><p class="tb-summary">{body}{cursor}</p>{fact}</section>'
    )


def _legend(language: str) -> str:
    return f'<p class="tb-legend">{line_html(LEGEND, language)}</p>'


def batch_html(rows: list[dict[str, str]], answers: list[dict[str, Any]], language: str) -> str:
    """The first summaries of a file, each beside its document."""
    first = [
        [clip(row["document"], 220), line_html(marked(row["document"], answer["summary"]), language)]
        for row, answer in zip(rows[:PREVIEW_ROWS], answers, strict=False)
    ]
    head = [safe(words(f"summarization.{key}").in_language(language)) for key in ("document", "summary")]
    return _legend(language) + table(head, first, "tb-marked tb-summary-table")


def target_of(row: dict[str, Any]) -> str:
    """A test row's first reference."""
    return str(row["target"][0])
