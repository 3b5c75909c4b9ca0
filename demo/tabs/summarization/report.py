"""What the page shows of a summarization report: what the summaries are like, groups of them to click on, and the worst ones.

Knows the report's schema. Everything is escaped: documents and summaries come from files and models.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demo.i18n import words
from demo.markup import clip, count, safe, table
from demo.tabs.summarization.origins import legend_html, marked_html
from engine.core.text import Text
from engine.tasks.summarization.layout import EXAMPLES, measure_rows

WORST_SHOWN = 2
OPENED_ROWS = 12


def details_html(report: dict[str, Any], language: str) -> str:
    """Length, novelty, repetition and what the documents lack, beside the untuned model and the references."""
    say = lambda key: safe(words(key).in_language(language))  # noqa: E731
    head = [
        say("summarization.measure"),
        *(safe(Text.from_dict(s["label"]).in_language(language)) for s in report["measures"]),
    ]
    rows = []
    for row in measure_rows(report):
        name = f"<b>{safe(row['label'].in_language(language))}</b><small>{safe(row['about'].in_language(language))}</small>"
        rows.append(
            [name, *(f"{safe(value)}<small>{safe(low)} – {safe(high)}</small>" for value, low, high in row["cells"])]
        )
    body = table(head, rows, "tb-measures", frozenset(range(1, len(head))))
    return f'<section><h3>{say("summarization.measures")}</h3><p class="tb-quiet">{say("summarization.measures_note")}</p>{body}</section>'


def groups_html(report: dict[str, Any], language: str) -> str:
    """Groups of test rows as buttons: invented numbers, invented names, the furthest, random and the nearest."""
    say = lambda key, **values: words(key, **values).in_language(language)  # noqa: E731
    counts = {**report["strange_count"], **{kind: len(rows) for kind, rows in report["examples"].items()}}
    buttons = []
    for kind, number in counts.items():
        name = _group_name(report, kind, language)
        off = "" if number else " disabled"
        warn = " tb-group-warn" if kind in report["strange_count"] and number else ""
        buttons.append(
            f'<li><button type="button" class="tb-group{warn}" data-pick="{safe(kind)}"{off}><b>{count(number)}</b><span>{safe(name)}</span></button></li>'
        )
    return (
        f'<article class="tb-report"><section><h3>{safe(say("summarization.groups"))}</h3><p class="tb-quiet">{safe(say("summarization.groups_note"))}</p>'
        f'<ul class="tb-groups">{"".join(buttons)}</ul></section></article>'
    )


def opened_html(directory: Path, report: dict[str, Any], picked: str, language: str) -> str:
    """The summaries of the group that was clicked."""
    from engine.tasks.summarization.rows import group_rows

    rows = group_rows(directory, report, picked, OPENED_ROWS)
    title = words("summarization.opened", name=_group_name(report, picked, language), rows=len(rows)).in_language(
        language
    )
    return f'<section class="tb-cell-rows" aria-live="polite"><h4>{safe(title)}</h4>{legend_html(language)}{_rows(report, rows, language)}</section>'


def worst_html(report: dict[str, Any], language: str) -> str:
    """The summaries furthest from their references."""
    rows = report["examples"]["worst"][:WORST_SHOWN]
    if not rows:
        return ""
    title = EXAMPLES["worst"].in_language(language)
    note = words("summarization.worst_note").in_language(language)
    return f'<section><h3>{safe(title)}</h3><p class="tb-quiet">{safe(note)}</p>{legend_html(language)}{_rows(report, rows, language)}</section>'


def _group_name(report: dict[str, Any], kind: str, language: str) -> str:
    if kind == "names" and report["counted"] == "characters":
        kind = "latin_names"  # nothing marks a Chinese name, so that none is looked for
    return (EXAMPLES[kind] if kind in EXAMPLES else words(f"summarization.group_{kind}")).in_language(language)


def _rows(report: dict[str, Any], rows: list[dict[str, Any]], language: str) -> str:
    say = lambda key, **values: words(key, **values).in_language(language)  # noqa: E731
    metric, name = report["headline"]["metric"], Text.from_dict(report["headline"]["label"]).in_language(language)
    items = []
    for row in rows:
        document = row["inputs"]["document"]
        texts = [(say("try.tuned"), marked_html(document, row["prediction"]) or "–", "accent")]
        for number, reference in enumerate(row["target"], start=1):
            label = say("summarization.reference") + (f" {number}" if len(row["target"]) > 1 else "")
            texts.append((label, safe(reference), "plain"))
        if row["untuned"] is not None:
            texts.append((say("try.base"), safe(row["untuned"]) or "–", "quiet"))
        told = "".join(
            f'<dt>{safe(label)}</dt><dd class="tb-summary-{kind}">{body}</dd>' for label, body, kind in texts
        )
        lacking = row["strange"]["numbers"] + row["strange"]["names"]
        facts = [say("report.row", row=row["row"]), f"{name} {row['scores'][metric]:.2f}"]
        if lacking:
            facts.append(say("summarization.lacking", things=", ".join(lacking)))
        folded = f'<details class="tb-document"><summary>{safe(say("summarization.document"))}: {clip(document, 110)}</summary><p>{safe(document)}</p></details>'
        items.append(f'<li>{folded}<dl class="tb-side">{told}</dl><small>{safe(" · ".join(facts))}</small></li>')
    return f'<ul class="tb-answers">{"".join(items)}</ul>'
