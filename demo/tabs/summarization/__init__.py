"""The summarization tab: its words, its overview of the data, and how its answers are shown."""

from __future__ import annotations

from statistics import median

from demo import data_preview
from demo.i18n import words
from demo.markup import count
from demo.parts.overview import bars_html, heading_html, line_html
from demo.parts.tab_spec import AnswerView, TabSpec
from demo.tabs.summarization import answers
from engine.config import RunConfig
from engine.data.table import Table

# Upper ends of the bars, as shares of the document: most summaries are a small part of theirs.
EDGES = {"0–5%": 0.05, "5–10%": 0.1, "10–20%": 0.2, "20–30%": 0.3, "30–50%": 0.5, ">50%": float("inf")}


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
        + line_html(lengths, language)
        + (line_html(words("summarization.references", rows=count(several)), language) if several else "")
    )


TAB = TabSpec(
    name="summarization",
    title=words("summarization.title"),
    promise=words("summarization.promise"),
    overview=summary_overview,
    answers=AnswerView(answers.answer_html, answers.batch_html, answers.target_of),
    ask=words("summarization.ask"),
    suggestions=words("summarization.suggestions"),
    placeholders={"document": words("summarization.placeholder")},
)
