"""What a table holds to learn from, in one picture a task, shown below the mapped rows.

Knows classes, entities, answers and summaries as counts. Each function takes (config, table, columns, language) and returns HTML;
rows that cannot be read are the data check's to tell, so a table without any gives nothing.
"""

from __future__ import annotations

from collections import Counter
from statistics import median

from demo import data_preview
from demo.i18n import words
from demo.markup import bar, count, safe
from engine.config import RunConfig
from engine.data.table import Table

SHOWN = 12
_BINS = 6


def class_balance(config: RunConfig, train: Table, columns: dict[str, str], language: str) -> str:
    """How many rows each class has, as bars."""
    column = columns.get("label")
    if column is None or column not in train.columns:
        return ""
    counts = data_preview.class_counts(train, column, config.data.label_separator)
    return _bars(counts, "data.classes", "data.more_classes", language)


def entity_balance(config: RunConfig, table: Table, columns: dict[str, str], language: str) -> str:
    """How many entities of each type there are, as bars, and how many rows have none."""
    examples = data_preview.examples(config, table, columns)
    counts = Counter(span["label"] for example in examples for span in example.target)
    if not counts:
        return ""
    empty = sum(not example.target for example in examples)
    said = words("overview.entities", entities=count(counts.total()), rows=count(len(examples)), empty=count(empty))
    return _bars(counts.most_common(), "overview.types", "overview.more_types", language) + _line(said, language)


def answer_overview(config: RunConfig, table: Table, columns: dict[str, str], language: str) -> str:
    """How many questions are answered and how many not, and how long answers and contexts are."""
    examples = data_preview.examples(config, table, columns)
    if not examples:
        return ""
    answered = [example for example in examples if example.target]
    rows = [(words("overview.answered").in_language(language), len(answered))]
    if len(answered) < len(examples):
        rows.append((words("overview.unanswered").in_language(language), len(examples) - len(answered)))
    contexts = {example.inputs["context"] for example in examples}
    said = words(
        "overview.contexts",
        contexts=count(len(contexts)),
        context=count(median(map(len, contexts))),
        answer=count(median(len(example.target[0]["text"]) for example in answered) if answered else 0),
    )
    title = words("overview.questions", questions=count(len(examples)))
    total = len(examples)
    bars = [bar(name, n / total, count(n), note=f"{100 * n / total:.0f}%") for name, n in rows]
    return (
        f'<h3 class="tb-sub">{safe(title.in_language(language))}</h3><div class="tb-bars">{"".join(bars)}</div>'
        + _line(said, language)
    )


def summary_overview(config: RunConfig, table: Table, columns: dict[str, str], language: str) -> str:
    """How short the summaries are beside their documents, as bars over equal steps."""
    examples = data_preview.examples(config, table, columns)
    shares = [len(example.target[0]) / max(1, len(example.inputs["document"])) for example in examples]
    if not shares:
        return ""
    # Up to 5, 10, 20, 30, 50 percent, and more: most summaries are a small part of their document.
    edges = (0.05, 0.1, 0.2, 0.3, 0.5, float("inf"))
    counts = [0] * len(edges)
    for share in shares:
        counts[next(i for i, edge in enumerate(edges) if share <= edge)] += 1
    names = ["0–5%", "5–10%", "10–20%", "20–30%", "30–50%", ">50%"]
    most = max(counts)
    bars = [
        bar(name, n / most, count(n), note=f"{100 * n / len(shares):.0f}%")
        for name, n in zip(names, counts, strict=True)
    ]
    several = sum(len(example.target) > 1 for example in examples)
    said = words(
        "overview.lengths",
        document=count(median(len(example.inputs["document"]) for example in examples)),
        summary=count(median(len(example.target[0]) for example in examples)),
    )
    title = words("overview.summaries").in_language(language)
    more = _line(words("overview.references", rows=count(several)), language) if several else ""
    return (
        f'<h3 class="tb-sub">{safe(title)}</h3><div class="tb-bars">{"".join(bars)}</div>{_line(said, language)}{more}'
    )


def _bars(counts: list[tuple[str, int]], title: str, rest: str, language: str) -> str:
    if not counts:
        return ""
    total, most = sum(number for _, number in counts), counts[0][1]
    rows = [
        bar(label, number / most, count(number), note=f"{100 * number / total:.0f}%")
        for label, number in counts[:SHOWN]
    ]
    heading = words(title, count=len(counts)).in_language(language)
    left = len(counts) - SHOWN
    more = _line(words(rest, count=left), language) if left > 0 else ""
    return f'<h3 class="tb-sub">{safe(heading)}</h3><div class="tb-bars">{"".join(rows)}</div>{more}'


def _line(said, language: str) -> str:
    return f'<p class="tb-quiet">{safe(said.in_language(language))}</p>'
