"""The report as a page to read: the verdict in a sentence, then the number with its interval, then what stands behind it.

Knows the report's schema (engine/evaluation/report.py) and the order in which a person wants it. Everything is escaped: labels,
texts and column names come from files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.charts import Series, line_chart
from demo.i18n import words
from demo.markup import PICK, bar, chip, clip, count, duration, percent, safe, table
from demo.page import Page
from engine.text import Text

MISTAKES_SHOWN = 8
CLASSES_SHOWN = 30  # of a confusion matrix; larger ones show the classes most confused
CELL_ROWS = 12


@dataclass
class ReportView:
    """The components of the report. The matrix and its rows are apart: a click on a cell fills what stands below it."""

    top: gr.HTML
    matrix: gr.HTML
    cell: gr.HTML
    rest: gr.HTML


def build(page: Page, task: str) -> ReportView:
    top = gr.HTML("", apply_default_css=False, elem_id=f"{task}-report")
    matrix = gr.HTML("", js_on_load=PICK, apply_default_css=False, elem_id=f"{task}-matrix")
    cell = gr.HTML("", apply_default_css=False, elem_id=f"{task}-cell")
    rest = gr.HTML("", apply_default_css=False)
    return ReportView(top, matrix, cell, rest)


def _text(value: dict[str, str] | None, language: str) -> str:
    return Text.from_dict(value).in_language(language) if value else ""


def top_html(report: dict[str, Any], language: str) -> str:
    """Verdict, headline, comparison, classes."""
    verdict, headline = report["verdict"], report["headline"]
    level = verdict["level"]
    points = "".join(f"<li>{safe(_text(point['text'], language))}</li>" for point in verdict["points"])
    label = words(f"verdict.{level}").in_language(language)
    interval = words("report.interval", low=percent(headline["low"]), high=percent(headline["high"])).in_language(
        language
    )
    name = _text(headline["label"], language) if isinstance(headline.get("label"), dict) else headline["metric"]
    return (
        f'<article class="tb-report"><section class="tb-verdict tb-verdict-{safe(level)}">{chip(label, f"verdict-{level}")}'
        f"<h2>{safe(_text(verdict['sentence'], language))}</h2>"
        f'<div class="tb-headline"><div class="tb-big"><b>{safe(percent(headline["value"]))}</b><span>{safe(name)}</span></div>'
        f'{_interval_svg(headline)}<p class="tb-quiet">{safe(interval)}</p></div>'
        f'<ul class="tb-points">{points}</ul></section>'
        + baselines_html(report, language)
        + classes_html(report, language)
        + "</article>"
    )


def _interval_svg(headline: dict[str, Any]) -> str:
    """The interval on a line from 0 to 100 %."""
    low, high, value = (100 * min(max(headline[key], 0.0), 1.0) for key in ("low", "high", "value"))
    return (
        '<div class="tb-interval" aria-hidden="true"><span>0</span><div>'
        f'<i style="left:{low:.1f}%;width:{max(high - low, 0.5):.1f}%"></i><b style="left:{value:.1f}%"></b></div><span>100 %</span></div>'
    )


def baselines_html(report: dict[str, Any], language: str) -> str:
    """The tuned model against what costs nothing, on the same rows, with the interval drawn over each bar."""
    if not report.get("baselines"):
        return ""
    metric = report["headline"]["metric"]
    headline = report["headline"]
    rows = [
        bar(
            words("report.tuned").in_language(language),
            headline["value"],
            percent(headline["value"]),
            "accent",
            mark=(headline["low"], headline["high"]),
        )
    ]
    for baseline in sorted(report["baselines"].values(), key=lambda one: -(one["metrics"].get(metric) or 0)):
        value = baseline["metrics"].get(metric)
        if value is None:
            continue
        spread = (baseline.get("intervals") or {}).get(metric)
        rows.append(
            bar(
                _text(baseline["label"], language),
                value,
                percent(value),
                "quiet",
                mark=(spread["low"], spread["high"]) if isinstance(spread, dict) else None,
                note=_text(baseline.get("about"), language),
            )
        )
    title = words("report.against").in_language(language)
    note = words("report.against_note").in_language(language)
    return f'<section><h3>{safe(title)}</h3><div class="tb-bars tb-compare">{"".join(rows)}</div><p class="tb-quiet">{safe(note)}</p></section>'


def classes_html(report: dict[str, Any], language: str) -> str:
    """Each class: how many of it are found, how many of the answers hold, and with what it is mixed up."""
    classes = report.get("classes") or []
    if not classes:
        return ""
    say = lambda key: safe(words(key).in_language(language))  # noqa: E731
    ordered = sorted(classes, key=lambda row: (row["f1"] is None, row["f1"] or 0))
    rows = []
    for row in ordered:
        share = row["f1"] or 0
        meter = f'<span class="tb-meter"><b style="width:{100 * share:.1f}%"></b></span>'
        confused = ", ".join(f"{one['label']} ({one['count']})" for one in (row.get("confused_with") or [])[:2])
        rows.append(
            [
                f"<b>{clip(row['label'], 60)}</b>",
                f"{meter}{percent(row['f1'])}",
                percent(row["precision"]),
                percent(row["recall"]),
                count(row["support"]),
                clip(confused, 80) if confused else "–",
            ]
        )
    head = [
        say("report.class"),
        "F1",
        say("report.precision"),
        say("report.recall"),
        say("report.support"),
        say("report.confused_with"),
    ]
    body = table(head, rows, "tb-classes", frozenset({2, 3, 4}))
    if len(rows) > 12:
        body = f'<div class="tb-tall" tabindex="0">{body}</div>'
    return (
        f"<section><h3>{say('report.classes')}</h3><p class='tb-quiet'>{say('report.classes_note')}</p>{body}</section>"
    )


def matrix_html(report: dict[str, Any], language: str) -> str:
    """The confusion matrix as buttons: a click shows the rows behind a cell."""
    confusion = report.get("confusion") or {}
    matrix = confusion.get("matrix")
    if not matrix:
        return ""
    labels = confusion["labels"]
    shown = list(range(len(labels)))
    cut = ""
    if len(labels) > CLASSES_SHOWN:
        wrong = [sum(matrix[i]) - matrix[i][i] + sum(row[i] for row in matrix) - matrix[i][i] for i in shown]
        shown = sorted(sorted(shown, key=lambda i: -wrong[i])[:CLASSES_SHOWN])
        cut = f'<p class="tb-quiet">{safe(words("report.matrix_cut", shown=CLASSES_SHOWN, classes=len(labels)).in_language(language))}</p>'
    most = max((matrix[i][j] for i in shown for j in shown if i != j), default=0)
    head = "".join(f'<th scope="col" title="{safe(labels[j])}"><span>{clip(labels[j], 28)}</span></th>' for j in shown)
    body = []
    for i in shown:
        total = sum(matrix[i])
        cells = []
        for j in shown:
            number = matrix[i][j]
            if i == j:
                kind, depth = "right", (number / total if total else 0)
            else:
                kind, depth = "wrong", (number / most if most else 0)
            said = words("report.cell", rows=number, label=labels[i], prediction=labels[j]).in_language(language)
            off = "" if number else " disabled"
            cells.append(
                f'<td><button type="button" class="tb-cell tb-cell-{kind}" style="--depth:{depth:.3f}" data-pick="{i},{j}" '
                f'title="{safe(said)}" aria-label="{safe(said)}"{off}>{number or ""}</button></td>'
            )
        body.append(f'<tr><th scope="row" title="{safe(labels[i])}">{clip(labels[i], 28)}</th>{"".join(cells)}</tr>')
    title = words("report.matrix").in_language(language)
    note = words("report.matrix_note").in_language(language)
    small = " tb-matrix-dense" if len(shown) > 12 else ""
    return (
        f'<section class="tb-report"><h3>{safe(title)}</h3><p class="tb-quiet">{safe(note)}</p>{cut}<div class="tb-scroll" tabindex="0">'
        f'<table class="tb-matrix{small}"><thead><tr><th class="tb-corner"><small>{safe(words("report.matrix_axes").in_language(language))}</small></th>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div></section>"
    )


def cell_html(rows: list[dict[str, Any]], label: str, prediction: str, language: str) -> str:
    """The test rows behind one cell."""
    key = "report.cell_right" if label == prediction else "report.cell_wrong"
    title = words(key, label=label, prediction=prediction, rows=len(rows)).in_language(language)
    return f'<section class="tb-cell-rows" aria-live="polite"><h4>{safe(title)}</h4>{_answers(rows[:CELL_ROWS], language)}</section>'


def _answers(rows: list[dict[str, Any]], language: str) -> str:
    """Test rows with what was said of them."""
    items = []
    for row in rows:
        inputs = row.get("inputs") or {}
        said = " / ".join(clip(value, 320) for value in inputs.values() if value)
        truth = row.get("target", row.get("label"))
        pair = words(
            "report.answer",
            label=_labels(truth),
            prediction=_labels(row["prediction"]),
            confidence=percent(row["confidence"], 0),
        ).in_language(language)
        flag = chip(words("report.mislabelled").in_language(language), "warn") if row.get("likely_mislabelled") else ""
        number = words("report.row", row=row["row"]).in_language(language) if row.get("row") is not None else ""
        items.append(f"<li><p>{said}</p><small>{safe(number)} · {safe(pair)} {flag}</small></li>")
    return f'<ul class="tb-answers">{"".join(items)}</ul>'


def _labels(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def rest_html(report: dict[str, Any], language: str) -> str:
    """Mistakes, slices, calibration, more data, what was run."""
    parts = []
    mistakes = report.get("mistakes") or []
    if mistakes:
        parts.append(
            f"<section><h3>{safe(words('report.mistakes').in_language(language))}</h3>"
            f'<p class="tb-quiet">{safe(words("report.mistakes_note").in_language(language))}</p>{_answers(mistakes[:MISTAKES_SHOWN], language)}</section>'
        )
    parts.append(calibration_html(report, language))
    parts.append(_more_data(report, language))
    parts.append(_what_was_run(report, language))
    return f'<article class="tb-report">{"".join(parts)}</article>'


def calibration_html(report: dict[str, Any], language: str) -> str:
    """Whether "90 % sure" is right nine times in ten."""
    calibration = report.get("calibration") or {}
    bins = [one for one in calibration.get("bins") or [] if one.get("count")]
    if not bins:
        return ""
    points = [(one["confidence"], one["accuracy"]) for one in bins]
    chart = line_chart(
        words("report.reliability").in_language(language),
        [Series(words("report.observed").in_language(language), points, "metric", dots=True)],
        x_range=(min(0.5, min(x for x, _ in points)), 1.0),
        y_range=(min(0.5, min(y for _, y in points)), 1.0),
        x_title=words("report.said").in_language(language),
        y_format=lambda value: f"{100 * value:.0f} %",
        x_format=lambda value: f"{100 * value:.0f} %",
        diagonal=True,
    )
    said = words("report.ece", ece=percent(calibration["ece"])).in_language(language)
    return (
        f"<section><h3>{safe(words('report.calibration').in_language(language))}</h3><p>{safe(said)}</p>"
        f'<div class="tb-half">{chart}</div></section>'
    )


def _more_data(report: dict[str, Any], language: str) -> str:
    more = report.get("more_data") or {}
    said = more.get("text") or more.get("sentence")
    if not said:
        return ""
    return f"<section><h3>{safe(words('report.more_data').in_language(language))}</h3><p>{safe(_text(said, language))}</p></section>"


def _what_was_run(report: dict[str, Any], language: str) -> str:
    run = report.get("run") or {}
    rows: list[tuple[str, str]] = []

    def add(key: str, value: Any) -> None:
        if value not in (None, "", {}):
            rows.append((words(f"ran.{key}").in_language(language), str(value)))

    add("model", run.get("model"))
    add("method", run.get("method"))
    add("device", f"{run.get('device', '')} · {run.get('dtype', '')}".strip(" ·"))
    seconds = run.get("seconds")
    if isinstance(seconds, dict):
        add(
            "seconds",
            " · ".join(f"{_phase(name, language)} {duration(value, language)}" for name, value in seconds.items()),
        )
    if run.get("peak_memory_mb"):
        add("memory", f"{count(run['peak_memory_mb'])} MB")
    add("seed", run.get("seed"))
    add("data", (run.get("data_sha256") or "")[:16])
    versions = run.get("versions") or {}
    add("versions", ", ".join(f"{name} {version}" for name, version in versions.items()))
    body = "".join(f"<dt>{safe(name)}</dt><dd>{safe(value)}</dd>" for name, value in rows)
    return (
        f"<section><h3>{safe(words('report.ran').in_language(language))}</h3><dl class='tb-dl'>{body}</dl></section>"
        if body
        else ""
    )


def _phase(name: str, language: str) -> str:
    try:
        return words(f"phase.{name}").in_language(language)
    except KeyError:
        return name  # a phase that this page does not know yet keeps its own name
