"""What the page shows of a question answering report: what became of the questions, to click on; the threshold; the worst misses.

Knows the report's schema. Everything is escaped: questions and texts come from files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demo.charts import Series, line_chart
from demo.i18n import words
from demo.markup import clip, count, percent, safe
from engine.core.text import Text

MISSES_SHOWN = 8
OPENED_ROWS = 12


def details_html(report: dict[str, Any], language: str) -> str:
    """The threshold, where "no answer" is possible, and how answers are scored."""
    return _threshold(report, language) + _scored(report, language)


def outcomes_html(report: dict[str, Any], language: str) -> str:
    """What became of the questions, as buttons: a click shows them."""
    outcomes = report.get("outcomes") or []
    if not outcomes:
        return ""
    rows = []
    for part in outcomes:
        name = Text.from_dict(part["label"]).in_language(language)
        said = words("qa.outcome", name=name, count=count(part["count"])).in_language(language)
        right = " tb-outcome-right" if part["kind"] in ("exact", "silent_right") else ""
        rows.append(
            f'<li><button type="button" class="tb-outcome{right}" data-pick="{safe(part["kind"])}" aria-label="{safe(said)}">'
            f"<span>{safe(name)}</span><b>{count(part['count'])}</b><small>{percent(part['share'], 0)}</small>"
            f'<i style="width:{100 * part["share"]:.1f}%"></i></button></li>'
        )
    title, note = (words(key).in_language(language) for key in ("qa.outcomes", "qa.outcomes_note"))
    return (
        f'<article class="tb-report"><section><h3>{safe(title)}</h3><p class="tb-quiet">{safe(note)}</p>'
        f'<ul class="tb-outcomes">{"".join(rows)}</ul></section></article>'
    )


def opened_html(directory: Path, report: dict[str, Any], picked: str, language: str) -> str:
    """The questions behind the outcome that was clicked."""
    from engine.tasks.qa.rows import outcome_rows

    part = next(one for one in report["outcomes"] if one["kind"] == picked)
    rows = outcome_rows(directory, picked, OPENED_ROWS)
    name = Text.from_dict(part["label"]).in_language(language)
    title = words("qa.opened", name=name, rows=len(rows)).in_language(language)
    return f'<section class="tb-cell-rows" aria-live="polite"><h4>{safe(title)}</h4>{_legend(language)}{_questions(rows, language)}</section>'


def mistakes_html(report: dict[str, Any], language: str) -> str:
    """The worst misses in their context, the wanted and the given span marked."""
    misses = (report.get("mistakes") or [])[:MISSES_SHOWN]
    if not misses:
        return ""
    of = words("report.more_mistakes", shown=len(misses), mistakes=count(report["mistake_count"])).in_language(language)
    note = words("qa.misses_note").in_language(language)
    title = words("report.mistakes").in_language(language)
    return (
        f'<section><h3>{safe(title)}</h3><p class="tb-quiet">{safe(note)} {safe(of)}</p>'
        f"{_legend(language)}{_questions(misses, language)}</section>"
    )


def _legend(language: str) -> str:
    names = "".join(
        f'<mark class="tb-{kind}">{safe(words(f"qa.{kind}").in_language(language))}</mark>'
        for kind in ("wanted", "given", "both")
    )
    return f'<p class="tb-legend">{names}</p>'


def _questions(rows: list[dict[str, Any]], language: str) -> str:
    say = lambda key, **values: words(key, **values).in_language(language)  # noqa: E731 - a short name for a long call
    none = say("qa.no_answer_short")
    items = []
    for row in rows:
        wanted = " / ".join(dict.fromkeys(answer["text"] for answer in row["target"])) or none
        facts = [
            say("report.row", row=row["row"]),
            say("qa.wanted_is", wanted=wanted),
            say("qa.said_is", said=row["prediction"] or none),
            say("qa.sure", share=percent(row["confidence"], 0)),
            f"F1 {row['f1']:.2f}",
        ]
        passage = "".join(_piece(piece) for piece in row["marked"])
        items.append(
            f'<li><b class="tb-question">{clip(row["inputs"]["question"], 300)}</b><p class="tb-passage">{passage}</p>'
            f"<small>{' · '.join(clip(fact, 200) for fact in facts)}</small></li>"
        )
    return f'<ul class="tb-answers">{"".join(items)}</ul>'


def _piece(piece: dict[str, str]) -> str:
    if piece["kind"] == "gap":
        return " … "
    return (
        f'<mark class="tb-{safe(piece["kind"])}">{safe(piece["text"])}</mark>' if piece["kind"] else safe(piece["text"])
    )


def _threshold(report: dict[str, Any], language: str) -> str:
    threshold = report.get("threshold")
    if not threshold:
        return ""
    say = lambda key, **values: safe(words(key, **values).in_language(language))  # noqa: E731
    points = list(zip(threshold["thresholds"], threshold["scores"], strict=True))
    kept = min(range(len(points)), key=lambda index: abs(points[index][0] - threshold["value"]))
    chart = line_chart(
        words("qa.threshold_chart").in_language(language),
        [
            Series("F1", points, "metric"),
            Series("", [points[kept]], "metric", dots=True, faint=True, starred=frozenset({0})),
        ],
        x_range=(points[0][0], max(points[-1][0], points[0][0] + 1e-6)),
        x_title=words("qa.threshold_axis").in_language(language),
        y_format=lambda value: f"{value:.2f}",
    )
    limit = f"{threshold['value']:+.2f}".replace("-", "−")
    test = {key: f"{value:.3f}" for key, value in threshold["test"].items()}
    return (
        f"<section><h3>{say('qa.threshold')}</h3><p>{say('qa.threshold_note', limit=limit)} {say('qa.threshold_test', **test)}</p>"
        f'<div class="tb-half">{chart}</div></section>'
    )


def _scored(report: dict[str, Any], language: str) -> str:
    scored = report.get("scored_as") or {}
    parts = [
        words(f"qa.by_{kind}", count=count(scored[kind])).in_language(language)
        for kind in ("squad", "cmrc")
        if scored.get(kind)
    ]
    if not parts:
        return ""
    how = ("，" if language.startswith("zh") else ", ").join(parts)
    said = words("qa.scored", how=how).in_language(language)
    help_ = words("qa.f1_help").in_language(language)
    return f'<section><p class="tb-quiet">{safe(help_)} {safe(said)}</p></section>'
