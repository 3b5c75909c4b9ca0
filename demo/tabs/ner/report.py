"""What the page shows of a tagger's report: types, known and new entities, lenient scores, kinds of errors to click on.

Knows the report's schema. Everything is escaped: types and texts come from files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demo.i18n import words
from demo.markup import count, percent, safe, table
from demo.parts.marked import badge, marked
from engine.tasks.ner.layout import labels_in
from engine.tasks.ner.marks import colours, window
from engine.tasks.ner.report_words import ERROR_HELP, ERROR_NAMES, SCHEMA_HELP, SCHEMA_NAMES, SEEN_NAMES

MANY_TYPES = 12
PAIRS_SHOWN = 8
ROWS_SHOWN = 12
ERRORS_READ = 60  # among which those in one piece of text are shown together
MISTAKES_SHOWN = 6
PAIRED = ("type", "both")  # kinds in which one type was taken for another


def types_html(report: dict[str, Any], language: str) -> str:
    """Every type, entities that training had and new ones, and the same answers counted leniently."""
    return _types(report, language) + _seen(report, language) + _lenient(report, language)


def _say(key: str, language: str, **values: Any) -> str:
    return safe(words(key, **values).in_language(language))


def _types(report: dict[str, Any], language: str) -> str:
    named = colours(labels_in(report))
    rows = [
        [
            badge(row["label"], named),
            _meter(row["f1"]),
            percent(row["precision"]),
            percent(row["recall"]),
            count(row["support"]),
            count(row["train_support"]),
        ]
        for row in sorted(report["types"], key=lambda row: (row["f1"] is None, row["f1"] or 0))
    ]
    head = [
        _say("ner.type", language),
        "F1",
        *(_say(f"report.{key}", language) for key in ("precision", "recall")),
        *(_say(f"ner.{key}", language) for key in ("test_entities", "train_entities")),
    ]
    body = table(head, rows, "tb-classes", frozenset({2, 3, 4, 5}))
    if len(rows) > MANY_TYPES:
        body = f'<div class="tb-tall" tabindex="0">{body}</div>'
    return f"<section><h3>{_say('ner.types', language)}</h3><p class='tb-quiet'>{_say('ner.types_note', language)}</p>{body}</section>"


def _meter(share: float | None) -> str:
    return f'<span class="tb-meter"><b style="width:{100 * (share or 0):.1f}%"></b></span>{percent(share)}'


def _seen(report: dict[str, Any], language: str) -> str:
    """Found entities by whether training had them."""
    rows = [
        [
            safe(SEEN_NAMES[name].in_language(language)),
            _meter(part["recall"]["value"]),
            f"{percent(part['recall']['low'])} – {percent(part['recall']['high'])}",
            percent(part["precision"]["value"]),
            percent(part["f1"]["value"]),
            count(part["gold"]),
        ]
        for name, part in report["seen"].items()
        if part["gold"]
    ]
    if not rows:
        return ""
    head = [
        _say("ner.entities_that", language),
        _say("report.recall", language),
        "95%",
        _say("report.precision", language),
        "F1",
        _say("ner.test_entities", language),
    ]
    body = table(head, rows, "tb-classes", frozenset({2, 3, 4, 5}))
    return f"<section><h3>{_say('ner.seen', language)}</h3><p class='tb-quiet'>{_say('ner.seen_note', language)}</p>{body}</section>"


def _lenient(report: dict[str, Any], language: str) -> str:
    rows = [
        [
            f"{safe(SCHEMA_NAMES[name].in_language(language))}<br><small>{safe(SCHEMA_HELP[name].in_language(language))}</small>",
            _meter(part["f1"]),
            f"{percent(part['f1_low'])} – {percent(part['f1_high'])}",
            percent(part["precision"]),
            percent(part["recall"]),
        ]
        for name, part in report["partial"].items()
    ]
    head = [
        _say("ner.reading", language),
        "F1",
        "95%",
        *(_say(f"report.{key}", language) for key in ("precision", "recall")),
    ]
    body = table(head, rows, "tb-classes", frozenset({2, 3, 4}))
    return f"<section><h3>{_say('ner.lenient', language)}</h3><p class='tb-quiet'>{_say('ner.lenient_note', language)}</p>{body}</section>"


def errors_html(report: dict[str, Any], language: str) -> str:
    """The kinds of errors as buttons, and the types most often taken for each other: a click shows the texts."""
    total = sum(group["count"] for group in report["errors"])
    if not total:
        return f'<article class="tb-report"><section><h3>{_say("ner.errors", language)}</h3><p>{_say("ner.no_errors", language)}</p></section></article>'
    kinds = "".join(
        f'<button type="button" class="tb-kind" data-pick="{safe(group["kind"])}"{"" if group["count"] else " disabled"}>'
        f"<b>{count(group['count'])}</b><span>{safe(ERROR_NAMES[group['kind']].in_language(language))}</span>"
        f"<small>{safe(ERROR_HELP[group['kind']].in_language(language))}</small></button>"
        for group in report["errors"]
    )
    pairs = sorted(
        (
            (pair["count"], group["kind"], number, pair)
            for group in report["errors"]
            for number, pair in enumerate(group["pairs"])
        ),
        key=lambda entry: -entry[0],
    )
    listed = "".join(
        f'<li><button type="button" class="tb-pair" data-pick="{safe(kind)}:{number}">'
        f"<b>{count(times)}</b><span>{_pair(kind, pair, language)}</span></button></li>"
        for times, kind, number, pair in pairs[:PAIRS_SHOWN]
    )
    return (
        f'<article class="tb-report"><section><h3>{_say("ner.errors", language)}</h3>'
        f'<p class="tb-quiet">{_say("ner.errors_note", language, errors=count(total), entities=count(report["entities"]["gold"]))}</p>'
        f'<div class="tb-kinds">{kinds}</div><ul class="tb-pairs">{listed}</ul></section></article>'
    )


def _pair(kind: str, pair: dict[str, Any], language: str) -> str:
    """An error of one kind by its types: “LOC” missed, “LOC” taken for “ORG”."""
    if kind in PAIRED:
        return _say("report.pair", language, label=pair["label"], prediction=pair["prediction"])
    return _say(f"ner.pair_{kind}", language, label=pair["label"] or pair["prediction"])


def opened_html(directory: Path, report: dict[str, Any], picked: str, language: str) -> str:
    """The texts behind what was clicked: a kind of error, or `kind:number` for one pair of types of it."""
    from engine.tasks.ner.rows import error_rows

    kind, _, number = picked.partition(":")
    if number:
        group = next(group for group in report["errors"] if group["kind"] == kind)
        pair = group["pairs"][int(number)]
        total, rows = error_rows(directory, kind, pair["label"], pair["prediction"], ERRORS_READ)
        title = _pair(kind, pair, language)
    else:
        total, rows = error_rows(directory, kind, limit=ERRORS_READ)
        title = safe(ERROR_NAMES[kind].in_language(language))
    named = colours(labels_in(report))
    pieces = _pieces(rows)
    shown = sum(len(errors) for _, _, errors in pieces)
    of = _say("ner.opened", language, shown=count(shown), errors=count(total))
    items = "".join(_row(row, place, named, language) for row, place, _ in pieces)
    return (
        f'<section class="tb-cell-rows" aria-live="polite"><h4>{title} <small class="tb-quiet">{of}</small></h4>'
        f'<ul class="tb-answers">{items}</ul></section>'
    )


def _pieces(rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], tuple[int, int], list[dict[str, Any]]]]:
    """The pieces of texts to show, each with the errors that stand in it: several in one piece are shown once."""
    pieces: list[tuple[dict[str, Any], tuple[int, int], list[dict[str, Any]]]] = []
    for row in rows:
        spans = [span for span in (row["error"]["gold"], row["error"]["given"]) if span]
        start, end = min(span["start"] for span in spans), max(span["end"] for span in spans)
        for other, (first, last), errors in pieces:
            if other["row"] == row["row"] and first <= start and end <= last:
                errors.append(row["error"])
                break
        else:
            if len(pieces) < ROWS_SHOWN:
                pieces.append((row, window(row["inputs"]["text"], start, end), [row["error"]]))
    return pieces


def _row(row: dict[str, Any], place: tuple[int, int], named: dict[str, int], language: str) -> str:
    """A piece of a text, as the data has it and as the model does."""
    text = row["inputs"]["text"]
    return _versus(
        row["row"], marked(text, row["target"], named, *place), marked(text, row["prediction"], named, *place), language
    )


def _versus(number: int, wanted: str, said: str, language: str) -> str:
    return (
        f'<li><dl class="tb-versus"><dt>{_say("ner.data", language)}</dt><dd>{wanted}</dd>'
        f"<dt>{_say('ner.model', language)}</dt><dd>{said}</dd></dl><small>{_say('report.row', language, row=number)}</small></li>"
    )


def mistakes_html(report: dict[str, Any], language: str) -> str:
    """The answers it was surest of and that are wrong."""
    named = colours(labels_in(report))
    examples = [example for group in report["errors"] if group["kind"] != "missed" for example in group["examples"]]

    def sure(example: dict[str, Any]) -> float:
        first, last = example["at"]
        return max(
            (span["score"] for span in example["given"] if span["start"] < last and first < span["end"]), default=0.0
        )

    shown = sorted(examples, key=lambda example: -sure(example))[:MISTAKES_SHOWN]
    if not shown:
        return ""
    items = "".join(
        _versus(
            example["row"],
            marked(example["text"], example["gold"], named),
            marked(example["text"], example["given"], named),
            language,
        )
        for example in shown
    )
    return (
        f"<section><h3>{_say('report.mistakes', language)}</h3><p class='tb-quiet'>{_say('ner.mistakes_note', language)}</p>"
        f'<ul class="tb-answers">{items}</ul></section>'
    )
