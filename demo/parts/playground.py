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
from engine.errors import ColumnProblem, UserError
from engine.runs.store import Run
from engine.tasks.roles import ROLES
from engine.text import Text

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


def build(page: Page, task: str) -> Playground:
    make = page.labels.make
    inputs = {}
    for role in ROLES[task]:
        if role.name == "label":
            continue
        inputs[role.name] = make(
            gr.Textbox,
            label=role.label if not role.required else words("try.text"),
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
        f'<button type="button" class="tb-suggestion" data-pick="{index}">{clip(row["inputs"].get("text", ""), 110)}'
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
        found.sort(key=lambda row: abs(len(str(row["inputs"].get("text", ""))) - 80))
    chosen: list[dict[str, Any]] = []
    depth = 0
    while len(chosen) < SUGGESTIONS and any(len(found) > depth for found in by_class.values()):
        chosen += [found[depth] for found in by_class.values() if len(found) > depth]
        depth += 1
    return chosen[:SUGGESTIONS]


def _target(row: dict[str, Any]) -> str:
    target = row["target"]
    return ", ".join(target) if isinstance(target, list) else str(target)


# A file in, a file out ---------------------------------------------------------------------------------------------------------


def predict_file(page: Page, run: Run, path: str | Path, task: str) -> tuple[Any, list[dict[str, Any]], str]:
    """Answer every row of a file. Returns the table as read, the answers, and the text column. Raises UserError."""
    from engine.data.columns import guess_with_reasons
    from engine.data.limits import Limits
    from engine.data.load import read_table

    found = read_table(path, task=task, limits=Limits.from_settings(page.settings))
    wanted = run.manifest.facts.get("columns") or {}
    column = wanted.get("text")
    if column not in found.columns:
        guess = guess_with_reasons(found, task).get("text")
        if guess is None and len(found.columns) != 1:
            raise ColumnProblem(
                "no_text_column",
                Text(
                    f"The file has no column {column!r}; it has {', '.join(found.columns)}.",
                    f"文件中没有 {column!r} 列，现有的列：{'、'.join(found.columns)}。",
                ),
                Text("Rename the column that holds the text.", "请修改文本所在列的列名。"),
            )
        column = guess.column if guess else found.columns[0]
    rows = []
    for _, values in found.frame.iterrows():
        row = {"text": _words(values[column])}
        pair = wanted.get("text_pair")
        if pair and pair in found.columns:
            row["text_pair"] = _words(values[pair])
        rows.append(row)
    return found, predictor(page, run).predict(rows), column


def write_answers(found: Any, answers: list[dict[str, Any]], directory: Path) -> Path:
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


def question(inputs: dict[str, str]) -> dict[str, str]:
    """What was typed, as a row. UserError when there is nothing to read."""
    row = {name: (text or "").strip() for name, text in inputs.items()}
    if not row.get("text"):
        raise UserError("empty_text", words("try.empty"))
    return {name: text for name, text in row.items() if text or name == "text"}
