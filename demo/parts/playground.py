"""Trying the tuned model: one text with the tuned and the untuned answer side by side, or a file in and a file out.

Knows how answers are shown and how a table of them is written. The model lives in this process, loaded once, with few threads:
the worker next door needs the cores more.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from demo.i18n import words
from demo.markup import PICK, bar, clip, count, panel, percent, safe, table
from demo.page import Page
from engine.data.columns import guess_with_reasons, missing_column
from engine.data.limits import Limits
from engine.data.load import read_table
from engine.data.table import Table
from engine.errors import UserError
from engine.runs.store import Run
from engine.tasks.roles import ROLES

MOST_CHARACTERS = 100_000
SHOWN_CLASSES = 6
SUGGESTIONS = 6
PREVIEW_ROWS = 8
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass
class Playground:
    """The components of the block."""

    inputs: dict[str, gr.Textbox]
    ask: gr.Button
    answer: gr.HTML
    suggestions: gr.HTML
    upload: gr.UploadButton
    batch: gr.HTML
    download: gr.DownloadButton


def build(page: Page, task: str, typed: tuple[str, ...]) -> Playground:
    make = page.labels.make
    inputs = {}
    for role in ROLES[task]:
        if role.name not in typed:
            continue
        inputs[role.name] = make(
            gr.Textbox,
            label=role.label,
            placeholder=words("try.placeholder"),
            lines=3 if role.required else 2,
            max_length=MOST_CHARACTERS,
            visible=role.required,
            elem_id=f"{task}-try-{role.name}",
        )
    ask = make(gr.Button, value=words("try.ask"), variant="primary", elem_id=f"{task}-ask")
    answer = gr.HTML("", apply_default_css=False, elem_id=f"{task}-answer")
    suggestions = gr.HTML("", js_on_load=PICK, apply_default_css=False, elem_id=f"{task}-suggestions")
    make(gr.HTML, value=words("try.batch_html"), apply_default_css=False)
    with gr.Row(elem_classes="tb-batch"):
        upload = make(
            gr.UploadButton,
            label=words("try.batch_upload"),
            file_types=[".csv", ".tsv", ".txt", ".json", ".jsonl", ".xlsx", ".parquet", ".gz", ".zip"],
            size="sm",
            elem_id=f"{task}-batch",
        )
        download = make(
            gr.DownloadButton,
            label=words("try.batch_download"),
            size="sm",
            visible=False,
            elem_id=f"{task}-batch-download",
        )
    batch = gr.HTML("", apply_default_css=False)
    return Playground(inputs, ask, answer, suggestions, upload, batch, download)


def predictor(page: Page, run: Run) -> Any:
    """The run's predictor, loaded once and kept among the last two."""

    def load() -> Any:
        import torch

        from engine.inference.predictor import load_predictor

        torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))
        return load_predictor(run.directory)

    return page.predictors.get(run.id, load)


def answer_html(tuned: dict[str, Any], base: dict[str, Any] | None, language: str) -> str:
    """The tuned answer in large, its probabilities as bars, and what the untuned model would have said beside it."""
    columns = _one_answer(words("try.tuned").in_language(language), tuned, language, "accent")
    if base is not None:
        columns += _one_answer(words("try.base").in_language(language), base, language, "quiet")
    note = ""
    if tuned.get("windows", 1) > 1:
        note = f'<p class="tb-quiet">{safe(words("try.windows", windows=tuned["windows"]).in_language(language))}</p>'
    return f'<div class="tb-answer">{columns}</div>{note}'


def _one_answer(title: str, answer: dict[str, Any], language: str, kind: str) -> str:
    given = answer.get("labels")
    said = (
        ", ".join(given)
        if given
        else (words("try.none").in_language(language) if given is not None else answer["label"])
    )
    shown = list(answer["probabilities"].items())[:SHOWN_CLASSES]
    bars = "".join(bar(label, probability, percent(probability, 0), kind) for label, probability in shown)
    rest = len(answer["probabilities"]) - len(shown)
    more = f'<p class="tb-quiet">{safe(words("try.more", classes=rest).in_language(language))}</p>' if rest > 0 else ""
    return f'<section class="tb-answer-{kind}"><h4>{safe(title)}</h4><p class="tb-said">{safe(said)}</p><div class="tb-bars">{bars}</div>{more}</section>'


def suggestions_html(run: Run, language: str) -> str:
    """Some test rows to click: spread over the classes, never seen in training."""
    rows = test_rows(run)
    if not rows:
        return ""
    chips = "".join(
        f'<button type="button" class="tb-suggestion" data-pick="{index}">{clip(_said(row), 110)}'
        f"<small>{safe(_target(row))}</small></button>"
        for index, row in enumerate(rows)
    )
    return f'<p class="tb-quiet">{safe(words("try.suggestions").in_language(language))}</p><div class="tb-suggestions">{chips}</div>'


def test_rows(run: Run) -> list[dict[str, Any]]:
    """A few of the run's test rows, one class after another, short enough to read."""
    try:
        with run.path("data", "test.jsonl").open(encoding="utf-8") as file:
            rows = [json.loads(line) for _, line in zip(range(400), file, strict=False)]
    except FileNotFoundError:
        return []
    by_class: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_class.setdefault(_target(row), []).append(row)
    for found in by_class.values():
        found.sort(key=lambda row: abs(len(_said(row)) - 80))
    chosen: list[dict[str, Any]] = []
    depth = 0
    while len(chosen) < SUGGESTIONS and any(len(found) > depth for found in by_class.values()):
        chosen += [found[depth] for found in by_class.values() if len(found) > depth]
        depth += 1
    return chosen[:SUGGESTIONS]


def _said(row: dict[str, Any]) -> str:
    """The inputs of a row in one line."""
    return " / ".join(str(value) for value in row["inputs"].values() if value)


def _target(row: dict[str, Any]) -> str:
    target = row["target"]
    return ", ".join(target) if isinstance(target, list) else str(target)


# A file in, a file out ---------------------------------------------------------------------------------------------------------


def predict_file(
    page: Page, run: Run, path: str | Path, task: str, typed: tuple[str, ...]
) -> tuple[Table, list[dict[str, Any]], str]:
    """Answer every row of a file. Returns the table as read, the answers, and the first column read. Raises UserError."""
    found = read_table(path, task=task, limits=Limits.from_settings(page.settings))
    columns = input_columns(found, run.manifest.facts.get("columns") or {}, task, typed)
    rows = [
        {role: _words(value) for role, value in zip(columns, cells, strict=True)}
        for cells in zip(*(found.frame[column] for column in columns.values()), strict=True)
    ]
    return found, predictor(page, run).predict(rows), next(iter(columns.values()))


def input_columns(found: Table, trained: dict[str, str], task: str, typed: tuple[str, ...]) -> dict[str, str]:
    """The column of each input: named as in training, else guessed, else the only one. ColumnProblem for none."""
    columns = {role: trained[role] for role in typed if trained.get(role) in found.columns}
    guesses = guess_with_reasons(found, task, columns)
    for role in ROLES[task]:
        if role.name not in typed or role.name in columns or not (role.required or role.name in trained):
            continue
        if role.name in guesses:
            columns[role.name] = guesses[role.name].column
        elif len(found.columns) == 1:
            columns[role.name] = found.columns[0]
        else:
            raise missing_column(found, trained.get(role.name, role.name), role.label, role.name)
    return {role: columns[role] for role in typed if role in columns}


def write_answers(found: Table, answers: list[dict[str, Any]], directory: Path) -> Path:
    """The file's columns with the answer and its confidence, as CSV that Excel opens with the right encoding."""
    frame = found.frame.copy()
    frame["prediction"] = [", ".join(answer["labels"]) if "labels" in answer else answer["label"] for answer in answers]
    frame["confidence"] = [round(answer["confidence"], 4) for answer in answers]
    for column in frame.columns:
        if column != "confidence":
            frame[column] = [guarded(value) for value in frame[column]]
    frame.columns = [guarded(column) for column in frame.columns]
    # Gradio serves what lies in its temporary folder; the name is ours, so that nothing else can be asked for by it.
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"predictions-{secrets.token_hex(6)}.csv"
    frame.to_csv(path, index=False, encoding="utf-8-sig")
    return path


def guarded(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def batch_html(answers: list[dict[str, Any]], texts: list[Any], column: str, language: str) -> str:
    """How the answers are spread, and the first of them."""
    spread: dict[str, int] = {}
    for answer in answers:
        label = ", ".join(answer["labels"]) if "labels" in answer else answer["label"]
        spread[label] = spread.get(label, 0) + 1
    most = max(spread.values())
    bars = "".join(
        bar(label, number / most, count(number))
        for label, number in sorted(spread.items(), key=lambda pair: -pair[1])[:SHOWN_CLASSES]
    )
    say = lambda key: safe(words(key).in_language(language))  # noqa: E731
    rows = [
        [clip(text, 160), f"<b>{safe(answer['label'])}</b>", percent(answer["confidence"], 0)]
        for text, answer in zip(texts[:PREVIEW_ROWS], answers, strict=False)
    ]
    done = words("try.batch_done", rows=count(len(answers)), column=column).in_language(language)
    return (
        f'{panel("success", done)}<div class="tb-bars">{bars}</div>'
        f"{table([say('try.text'), say('try.answer'), say('try.confidence')], rows, '', frozenset({2}))}"
    )


def _words(value: Any) -> str:
    return "" if value is None else str(value)


def question(task: str, inputs: dict[str, str]) -> dict[str, str]:
    """What was typed, as a row. UserError when there is nothing to read."""
    row = {name: (text or "").strip() for name, text in inputs.items()}
    if any(role.required and not row.get(role.name) for role in ROLES[task] if role.name in inputs):
        raise UserError("empty_text", words("try.empty"))
    return {name: text for name, text in row.items() if text}
