"""What the page shows of a classifier's report: the classes, the confusion matrix to click on, the rows behind a cell, the mistakes.

Knows the report's schema. Everything is escaped: labels and texts come from files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demo.i18n import words
from demo.markup import chip, clip, count, percent, safe, table
from engine.tasks.classification.layout import confused_pairs

MISTAKES_SHOWN = 8
CLASSES_SHOWN = 30  # of a confusion matrix; larger ones show the classes most confused
CELL_ROWS = 12
MATRIX_AT_A_GLANCE = 8  # classes
PAIRS_SHOWN = 8


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


def opened_html(directory: Path, report: dict[str, Any], picked: str, language: str) -> str:
    """The test rows behind the cell that was clicked (`label,prediction` by number, `-` for none)."""
    from engine.tasks.classification.rows import confusion_rows

    labels = report["confusion"]["labels"]
    label, prediction = (None if part == "-" else labels[int(part)] for part in picked.split(","))
    return cell_html(confusion_rows(directory, label, prediction, CELL_ROWS), label, prediction, language)


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


def mistakes_html(report: dict[str, Any], language: str) -> str:
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
