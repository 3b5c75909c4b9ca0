"""The summarization tab: its words, its overview of the data, and how its answers are shown."""

from __future__ import annotations

from statistics import median
from typing import Any

from demo import data_preview
from demo.i18n import words
from demo.markup import clip, count, safe, table
from demo.parts.overview import bars_html, caption_html, heading_html
from demo.parts.tab_spec import AnswerView, TabSpec
from engine.config import RunConfig
from engine.core.text import Text
from engine.data.table import Table
from engine.report.html import line_html
from engine.tasks.summarization.origins import LEGEND, marked
from engine.tasks.summarization.rouge import Characters

PREVIEW_ROWS = 8
# Upper ends of the bars, as shares of the document: most summaries are a small part of theirs.
EDGES = {"0–5%": 0.05, "5–10%": 0.1, "10–20%": 0.2, "20–30%": 0.3, "30–50%": 0.5, ">50%": float("inf")}
_split = Characters().tokenize


def summary_overview(config: RunConfig, table: Table, columns: dict[str, str], language: str) -> str:
    """How long the summaries are beside their documents, as bars, and how many rows have several references."""
    examples = data_preview.examples(config, table, columns)
    if not examples:
        return ""
    counts = dict.fromkeys(EDGES, 0)
    for example in examples:
        share = len(example.target[0]) / max(1, len(example.inputs["document"]))
        counts[next(name for name, edge in EDGES.items() if share <= edge)] += 1
    lengths = words(
        "summarization.lengths",
        document=count(median(len(example.inputs["document"]) for example in examples)),
        summary=count(median(len(example.target[0]) for example in examples)),
    )
    several = sum(len(example.target) > 1 for example in examples)
    return (
        heading_html(words("summarization.shares"), language)
        + bars_html([*counts.items()], max(counts.values()), len(examples))
        + caption_html(lengths, language)
        + (caption_html(words("summarization.references", rows=count(several)), language) if several else "")
    )


def answer_html(row: dict[str, str], tuned: dict[str, Any] | None, base: dict[str, Any] | None, language: str) -> str:
    """Both summaries, as far as they are generated: None before the first token, `growing` while more tokens follow."""
    columns = _summary(words("try.tuned"), row, tuned, language, "accent")
    if base is not None:
        columns += _summary(words("try.base"), row, base, language, "quiet")
    note = ""
    if tuned is not None and tuned.get("parts", 1) > 1:
        note = words("summarization.in_parts", parts=tuned["parts"]).in_language(language)
    elif tuned is not None and tuned.get("cut"):
        note = words("generation.was_cut").in_language(language)
    note = f'<p class="tb-quiet">{safe(note)}</p>' if note else ""
    return f'<div class="tb-answer tb-summaries">{columns}</div>{note}{_legend(language)}'


def _summary(title: Text, row: dict[str, str], answer: dict[str, Any] | None, language: str, kind: str) -> str:
    say = lambda key, **values: safe(words(key, **values).in_language(language))  # noqa: E731
    text = answer["summary"] if answer else ""
    growing = answer is None or answer.get("growing", False)
    if text:
        body: str = line_html(marked(row["document"], text), language)
    elif growing:
        body = f'<span class="tb-quiet">{say("generation.reading")}</span>'
    else:
        body = f'<span class="tb-quiet">{say("generation.empty")}</span>'
    cursor = '<i class="tb-cursor" aria-hidden="true"></i>' if growing else ""
    fact = ""
    if text and not growing:
        length, document = len(_split(text)), len(_split(row["document"]))
        key = "generation.stopped" if answer and answer.get("stopped") else "summarization.length"
        fact = f'<p class="tb-sure">{say(key, words=count(length), document=count(document))}</p>'
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


TAB = TabSpec(
    name="summarization",
    title=words("summarization.title"),
    promise=words("summarization.promise"),
    overview=summary_overview,
    answers=AnswerView(answer_html, batch_html, target_of),
    ask=words("summarization.ask"),
    suggestions=words("summarization.suggestions"),
    placeholders={"document": words("summarization.placeholder")},
)
