"""The report as a page to read: the verdict in a sentence, then the number with its interval, then what stands behind it.

Knows the report's schema (engine/report/files.py) and the order in which a person wants it. Everything is escaped: labels,
texts and column names come from files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from demo.charts import Series, line_chart
from demo.i18n import words
from demo.markup import PICK, bar, chip, count, percent, safe
from demo.page import Page
from engine.core.text import Text
from engine.evaluation.metric_format import number
from engine.evaluation.slices import KINDS
from engine.report.layout import POINT_TITLES
from engine.report.run_facts import describe_run


@dataclass
class ReportView:
    """The components of the report. The groups of rows and what a click opens are apart: a click fills what stands below."""

    top: gr.HTML
    groups: gr.HTML
    opened: gr.HTML
    rest: gr.HTML


@dataclass(frozen=True)
class ReportParts:
    """What is a task's own in its report, as markup."""

    details: Callable[
        [dict[str, Any], str], str
    ]  # (report, language): below the remarks, such as every class with its score
    groups: Callable[
        [dict[str, Any], str], str
    ]  # (report, language): what can be clicked (data-pick), such as the cells of a matrix
    opened: Callable[
        [Path, dict[str, Any], str, str], str
    ]  # (report directory, report, picked, language): the rows behind it
    mistakes: Callable[[dict[str, Any], str], str]  # (report, language): the worst mistakes


def build(page: Page, task: str) -> ReportView:
    top = gr.HTML("", apply_default_css=False, elem_id=f"{task}-report")
    groups = gr.HTML("", js_on_load=PICK, apply_default_css=False, elem_id=f"{task}-groups")
    opened = gr.HTML("", apply_default_css=False, elem_id=f"{task}-opened")
    rest = gr.HTML("", apply_default_css=False)
    return ReportView(top, groups, opened, rest)


def _text(value: dict[str, str] | None, language: str) -> str:
    return Text.from_dict(value).in_language(language) if value else ""


def _score(report: dict[str, Any], value: float) -> str:
    """The headline's metric with the digits that the test rows can carry."""
    return number(report["headline"]["metric"], value, report["headline"]["rows"])


def top_html(report: dict[str, Any], parts: ReportParts, language: str) -> str:
    """Verdict, headline, remarks, comparison, and the task's details."""
    verdict, headline = report["verdict"], report["headline"]
    level = verdict["level"]
    points = "".join(
        f"<li><b>{safe(POINT_TITLES[point['kind']].in_language(language))}</b>{safe(_text(point['text'], language))}</li>"
        for point in verdict["points"]
    )
    interval = words(
        "report.interval",
        sure=percent(headline["confidence"], 0),
        low=_score(report, headline["low"]),
        high=_score(report, headline["high"]),
        rows=count(headline["rows"]),
    ).in_language(language)
    return (
        f'<article class="tb-report"><section class="tb-verdict tb-verdict-{safe(level)}">'
        f"{chip(_text(verdict['label'], language), f'verdict-{level}')}<h2>{safe(_text(verdict['sentence'], language))}</h2>"
        f'<div class="tb-headline"><div class="tb-big"><b>{safe(_score(report, headline["value"]))}</b>'
        f"<span>{safe(_text(headline['label'], language))}</span></div>"
        f'{_interval(headline)}<p class="tb-quiet">{safe(interval)}</p></div></section>'
        + baselines_html(report, language)
        + f'<section><ul class="tb-points">{points}</ul></section>'
        + parts.details(report, language)
        + "</article>"
    )


def _interval(headline: dict[str, Any]) -> str:
    """The interval on a line from 0 to 100 %."""
    low, high, value = (100 * min(max(headline[key], 0.0), 1.0) for key in ("low", "high", "value"))
    return (
        '<div class="tb-interval" aria-hidden="true"><span>0</span><div>'
        f'<i style="left:{low:.1f}%;width:{max(high - low, 0.5):.1f}%"></i><b style="left:{value:.1f}%"></b></div><span>100%</span></div>'
    )


def baselines_html(report: dict[str, Any], language: str) -> str:
    """The tuned model against what costs nothing, on the same rows, with the interval drawn over each bar."""
    if not report.get("baselines"):
        return ""
    headline = report["headline"]
    metric = headline["metric"]
    tuned = words("report.tuned").in_language(language)
    rows = [bar(tuned, headline["value"], _score(report, headline["value"]), mark=(headline["low"], headline["high"]))]
    for baseline in sorted(report["baselines"].values(), key=lambda one: -one["metrics"][metric]):
        value = baseline["metrics"][metric]
        rows.append(
            bar(
                _text(baseline["label"], language),
                value,
                _score(report, value),
                "quiet",
                note=_text(baseline["about"], language),
                mark=tuple(baseline["intervals"][metric]),
            )
        )
    title = words("report.against").in_language(language)
    note = words("report.against_note").in_language(language)
    return f'<section><h3>{safe(title)}</h3><p class="tb-quiet">{safe(note)}</p><div class="tb-bars tb-compare">{"".join(rows)}</div></section>'


def rest_html(report: dict[str, Any], parts: ReportParts, language: str) -> str:
    """Mistakes, parts of the test set, calibration, more data, what was run."""
    sections = (parts.mistakes, _slices, calibration_html, _more_data, _what_was_run)
    return f'<article class="tb-report">{"".join(section(report, language) for section in sections)}</article>'


def _slices(report: dict[str, Any], language: str) -> str:
    """The same score on parts of the test rows: short and long, seen and unseen."""
    slices = report.get("slices") or []
    if len(slices) < 2:
        return ""
    parts = []
    for kind, name in KINDS.items():
        bars = "".join(
            bar(
                _text(part["name"], language),
                part["value"],
                _score(report, part["value"]),
                "quiet",
                note=words("data.rows", rows=count(part["n"])).in_language(language),
                mark=(part["low"], part["high"]),
            )
            for part in slices
            if part["kind"] == kind
        )
        if bars:
            parts.append(
                f'<h4 class="tb-sub">{safe(name.in_language(language))}</h4><div class="tb-bars tb-compare">{bars}</div>'
            )
    return (
        f"<section><h3>{safe(words('report.slices').in_language(language))}</h3>"
        f'<p class="tb-quiet">{safe(words("report.slices_note").in_language(language))}</p>{"".join(parts)}</section>'
    )


def calibration_html(report: dict[str, Any], language: str) -> str:
    """Whether "90 % sure" is right nine times in ten."""
    calibration = report.get("calibration") or {}
    bins = [one for one in calibration.get("bins") or [] if one.get("count")]
    if not bins:
        return ""
    points = [(one["confidence"], one["accuracy"]) for one in bins]
    corner = min(0.5, *(min(point) for point in points))
    chart = line_chart(
        words("report.reliability").in_language(language),
        [Series(words("report.observed").in_language(language), points, "metric", dots=True)],
        x_range=(corner, 1.0),
        y_range=(corner, 1.0),
        x_title=words("report.said").in_language(language),
        y_format=lambda value: f"{100 * value:.0f}%",
        x_format=lambda value: f"{100 * value:.0f}%",
        diagonal=True,
    )
    said = words("report.ece", ece=percent(calibration["ece"])).in_language(language)
    return (
        f"<section><h3>{safe(words('report.calibration').in_language(language))}</h3><p>{safe(said)}</p>"
        f'<div class="tb-half">{chart}</div></section>'
    )


def _more_data(report: dict[str, Any], language: str) -> str:
    more = report.get("more_data")
    if not more:
        return ""
    points = list(zip(more["sizes"], more["scores"], strict=True))
    chart = line_chart(
        words("report.curve").in_language(language),
        [Series(words("report.now").in_language(language), points, "metric-2", dots=True)],
        x_range=(0, max(more["sizes"])),
        x_title=words("facts.rows").in_language(language),
        y_format=lambda value: _score(report, value),
        x_format=count,
    )
    return (
        f"<section><h3>{safe(words('report.more_data').in_language(language))}</h3><p>{safe(_text(more['says'], language))}</p>"
        f'<div class="tb-half">{chart}</div></section>'
    )


def _what_was_run(report: dict[str, Any], language: str) -> str:
    body = "".join(
        f"<dt>{safe(name.in_language(language))}</dt><dd>{safe(value.in_language(language))}</dd>"
        for name, value in describe_run(report["run"])
    )
    return f"<section><h3>{safe(words('report.ran').in_language(language))}</h3><dl class='tb-dl'>{body}</dl></section>"
