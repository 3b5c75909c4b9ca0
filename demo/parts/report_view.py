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
from demo.markup import PICK, bar, chip, clip, count, percent, safe, table
from demo.page import Page
from engine.evaluation.facts import describe_run
from engine.evaluation.layout import POINT_TITLES, confused_pairs
from engine.evaluation.words import number
from engine.text import Text

MISTAKES_SHOWN = 8
CLASSES_SHOWN = 30  # of a confusion matrix; larger ones show the classes most confused
CELL_ROWS = 12
MATRIX_AT_A_GLANCE = 8  # classes
PAIRS_SHOWN = 8


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


def _score(report: dict[str, Any], value: float) -> str:
    """The headline's metric with the digits that the test rows can carry."""
    return number(report["headline"]["metric"], value, report["headline"]["rows"])


def top_html(report: dict[str, Any], language: str) -> str:
    """Verdict, headline, remarks, comparison, classes."""
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
        + classes_html(report, language)
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
    if "per_class" in confusion:
        return _per_class(confusion, language)
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
    pairs = _pairs(report, language) if len(labels) > MATRIX_AT_A_GLANCE else ""
    small = " tb-matrix-dense" if len(shown) > 12 else ""
    return (
        f'<article class="tb-report"><section><h3>{safe(title)}</h3><p class="tb-quiet">{safe(note)}</p>{pairs}{cut}<div class="tb-scroll" tabindex="0">'
        f'<table class="tb-matrix{small}"><thead><tr><th class="tb-corner"><small>{safe(words("report.matrix_axes").in_language(language))}</small></th>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div></section></article>"
    )


def _pairs(report: dict[str, Any], language: str) -> str:
    """The most frequent confusions by name, for matrices too large to take in at a glance."""
    pairs = confused_pairs(report)[:PAIRS_SHOWN]
    if not pairs:
        return ""
    index = {label: position for position, label in enumerate(report["confusion"]["labels"])}
    rows = "".join(
        f'<li><button type="button" class="tb-pair" data-pick="{index[pair["label"]]},{index[pair["prediction"]]}">'
        f"<b>{pair['count']}</b><span>{safe(words('report.pair', label=pair['label'], prediction=pair['prediction']).in_language(language))}</span></button></li>"
        for pair in pairs
    )
    return f'<ul class="tb-pairs">{rows}</ul>'


def _per_class(confusion: dict[str, Any], language: str) -> str:
    """Several labels a text: what was found, missed and given wrongly of each, as buttons (`None` is written as -)."""

    def button(rows: int, kind: str, pick: str, label: str) -> str:
        off = "" if rows else " disabled"
        return f'<button type="button" class="tb-cell tb-cell-{kind}" style="--depth:.2" data-pick="{pick}" aria-label="{safe(label)}"{off}>{rows or ""}</button>'

    names = [words(f"report.{key}").in_language(language) for key in ("found", "missed", "invented")]
    rows = [
        [
            f"<b>{clip(label, 60)}</b>",
            button(hit, "right", f"{i},{i}", f"{label}: {names[0]}"),
            button(missed, "wrong", f"{i},-", f"{label}: {names[1]}"),
            button(invented, "wrong", f"-,{i}", f"{label}: {names[2]}"),
        ]
        for i, (label, ((_, invented), (missed, hit))) in enumerate(
            zip(confusion["labels"], confusion["per_class"], strict=True)
        )
    ]
    head = [safe(words("report.class").in_language(language)), *(safe(name) for name in names)]
    return (
        f'<article class="tb-report"><section><h3>{safe(words("report.matrix").in_language(language))}</h3>'
        f'<p class="tb-quiet">{safe(words("report.per_class_note").in_language(language))}</p>{table(head, rows)}</section></article>'
    )


def cell_html(rows: list[dict[str, Any]], label: str | None, prediction: str | None, language: str) -> str:
    """The test rows behind one cell."""
    key = "report.cell_right" if label == prediction else "report.cell_wrong"
    title = words(key, label=label or "–", prediction=prediction or "–", rows=len(rows)).in_language(language)
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
    """Mistakes, parts of the test set, calibration, more data, what was run."""
    sections = (_mistakes, _slices, calibration_html, _more_data, _what_was_run)
    return f'<article class="tb-report">{"".join(section(report, language) for section in sections)}</article>'


def _mistakes(report: dict[str, Any], language: str) -> str:
    mistakes = report.get("mistakes") or []
    if not mistakes:
        return ""
    shown = mistakes[:MISTAKES_SHOWN]
    note = words("report.mistakes_note").in_language(language)
    of = words("report.more_mistakes", shown=len(shown), mistakes=count(report["mistake_count"])).in_language(language)
    return (
        f"<section><h3>{safe(words('report.mistakes').in_language(language))}</h3>"
        f'<p class="tb-quiet">{safe(note)} {safe(of)}</p>{_answers(shown, language)}</section>'
    )


def _slices(report: dict[str, Any], language: str) -> str:
    """The same score on parts of the test rows: short and long, seen and unseen."""
    slices = report.get("slices") or []
    if len(slices) < 2:
        return ""
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
    )
    return (
        f"<section><h3>{safe(words('report.slices').in_language(language))}</h3>"
        f'<p class="tb-quiet">{safe(words("report.slices_note").in_language(language))}</p><div class="tb-bars tb-compare">{bars}</div></section>'
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
