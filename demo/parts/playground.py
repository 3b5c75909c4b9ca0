"""Trying the tuned model: one text with the tuned and the untuned answer side by side, or a file in and a file out.

Knows where things are typed, asked and fetched; how an answer looks is the task's (`AnswerParts`). The model lives in this
process, loaded once, with few threads: the worker next door needs the cores more.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from demo import form
from demo.i18n import words
from demo.markup import PICK, clip, count, panel, safe
from demo.page import Page
from demo.zero import OnGpu
from engine.core.errors import UserError
from engine.core.text import Text
from engine.data.limits import Limits
from engine.data.load import read_table
from engine.run_directory.queue import computing
from engine.run_directory.store import Run
from engine.tasks import TASKS

MOST_CHARACTERS = 100_000
SUGGESTIONS = 6
LINES = {"context": 7, "text_pair": 2}  # of the inputs that are not of three
TABLES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".xlsx", ".parquet", ".gz", ".zip")  # what can be brought
# What a file of answers can be fetched as, by ending; the labels need no translation.
FORMATS = {".csv": "CSV", ".xlsx": "Excel", ".jsonl": "JSON Lines"}
# A click on what says [data-goto] brings what it names into view; a new answer shows its first place by itself.
GOTO = """
const show = (place, smooth) => {
  const box = place.closest('.tb-context');
  if (!box) return;
  const top = place.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop - box.clientHeight / 3;
  box.scrollTo({top, behavior: smooth && !matchMedia('(prefers-reduced-motion: reduce)').matches ? 'smooth' : 'auto'});
};
element.addEventListener('click', (event) => {
  const link = event.target.closest('[data-goto]');
  const place = link && element.querySelector(`[data-place~="${link.dataset.goto}"]`);
  if (!place) return;
  show(place, true);
  element.querySelectorAll('.tb-shown').forEach((one) => one.classList.remove('tb-shown'));
  element.querySelectorAll(`[data-place~="${link.dataset.goto}"]`).forEach((one) => one.classList.add('tb-shown'));
  place.closest('.tb-context').scrollIntoView({block: 'nearest', behavior: 'smooth'});
});
new MutationObserver(() => {
  const first = element.querySelector('.tb-context:not(.tb-placed) .tb-hit');
  if (first) { first.closest('.tb-context').classList.add('tb-placed'); show(first, false); }
}).observe(element, {childList: true, subtree: true});
"""


def formats(task: str) -> dict[str, str]:
    """The formats of a task's answers: tables, and what its own field reads."""
    return {**FORMATS, **{ending: format.label for ending, format in TASKS[task].export_formats.items()}}


@dataclass(frozen=True)
class AnswerParts:
    """How a task's answers are shown, as markup. A row is what was asked, by role; an answer is one of `Task.answers`."""

    one: Callable[[dict[str, str], dict[str, Any], dict[str, Any] | None, str], str]  # (row, tuned, untuned, language)
    many: Callable[
        [list[dict[str, str]], list[dict[str, Any]], str], str
    ]  # (rows, answers, language): the first of a file
    target: Callable[[dict[str, Any]], str]  # (test row): its right answer in a few words, as plain text
    # What is typed may ask several things at once: into how many rows it falls, and all of them answered as one picture
    # (rows, tuned, untuned, language). Without it, what is typed is one row.
    split: Callable[[dict[str, str]], list[dict[str, str]]] | None = None
    together: Callable[[list[dict[str, str]], list[dict[str, Any]], list[dict[str, Any]] | None, str], str] | None = (
        None
    )
    suggestions: Text = field(default_factory=lambda: words("try.suggestions"))  # above the test rows to click
    live: bool = False  # whether it answers while one types: quick models whose answer is the text itself, marked
    writes: bool = (
        False  # whether it writes texts: they are shown as they grow, can be stopped, and have a length and a style
    )
    asks: str = ""  # the input that tells test rows apart, where that is not all of them


@dataclass
class Playground:
    """The components of the block."""

    inputs: dict[str, gr.Textbox]
    ask: gr.Button
    answer: gr.HTML
    suggestions: gr.HTML
    style: dict[
        str, gr.Slider
    ]  # length and style of what is written, by field of `GenerationSpec`; empty where nothing is
    stop: gr.Button | None
    upload: gr.UploadButton
    batch: gr.HTML
    downloads: dict[str, gr.DownloadButton]  # by ending


def build(page: Page, task: str, parts: AnswerParts) -> Playground:
    make = page.labels.make
    inputs = {}
    for name in TASKS[task].inputs:
        inputs[name] = make(
            gr.Textbox,
            label=TASKS[task].role(name).label,
            placeholder=words(f"try.placeholder_{name}"),
            lines=LINES.get(name, 3),
            max_lines=16,
            max_length=MOST_CHARACTERS,
            visible=name in TASKS[task].required_inputs,
            elem_id=f"{task}-try-{name}",
        )
    style = _style(page, task) if parts.writes else {}
    stop = None
    if parts.writes:
        with gr.Row(elem_classes="tb-ask"):
            ask = make(gr.Button, value=words(f"{task}.ask"), variant="primary", scale=4, elem_id=f"{task}-ask")
            stop = make(gr.Button, value=words(f"{task}.stop"), interactive=False, scale=1, elem_id=f"{task}-stop")
    else:
        ask = make(gr.Button, value=words("try.ask"), variant="primary", elem_id=f"{task}-ask")
    answer = gr.HTML("", js_on_load=GOTO, apply_default_css=False, elem_id=f"{task}-answer")
    suggestions = gr.HTML("", js_on_load=PICK, apply_default_css=False, elem_id=f"{task}-suggestions")
    make(gr.HTML, value=words("try.batch_html"), apply_default_css=False)
    downloads = {}
    with gr.Row(elem_classes="tb-batch"):
        upload = make(
            gr.UploadButton,
            label=words("try.batch_upload"),
            file_types=sorted({*TABLES, *TASKS[task].export_formats}),
            size="sm",
            elem_id=f"{task}-batch",
        )
        for ending, label in formats(task).items():
            downloads[ending] = gr.DownloadButton(
                label, size="sm", visible=False, elem_id=f"{task}-batch-download-{ending[1:]}"
            )
    batch = gr.HTML("", apply_default_css=False)
    return Playground(inputs, ask, answer, suggestions, style, stop, upload, batch, downloads)


def _style(page: Page, task: str) -> dict[str, gr.Slider]:
    """How long and how freely it writes. Each says in plain words what it does."""
    make = page.labels.make
    options = form.fields()
    with make(gr.Accordion, label=words(f"{task}.controls"), open=False, elem_id=f"{task}-style"), gr.Row():
        tokens = make(
            gr.Slider,
            8,
            512,
            value=64,
            step=8,
            label=words(f"{task}.tokens"),
            info=words(f"{task}.tokens_help"),
            min_width=160,
        )
        beams = make(
            gr.Slider,
            1,
            8,
            value=1,
            step=1,
            label=options["generation.beams"].option.label,
            info=words(f"{task}.beams_help"),
            min_width=160,
        )
        temperature = make(
            gr.Slider,
            0,
            1.5,
            value=0,
            step=0.1,
            label=options["generation.temperature"].option.label,
            info=words(f"{task}.temperature_help"),
            min_width=160,
        )
    return {"max_new_tokens": tokens, "beams": beams, "temperature": temperature}


def predictor(page: Page, run: Run) -> Any:
    """The run's predictor, loaded once and kept among the last two. It has all cores, or half of them while something trains."""

    def load() -> Any:
        if page.zero is not None:
            return OnGpu(run.directory, page.zero)
        from engine.inference.predictor import load_predictor

        return load_predictor(run.directory)

    loaded = page.predictors.get(run.id, load)
    if page.zero is None:
        from engine.models.device import use_threads

        use_threads(max(1, (os.cpu_count() or 2) // 2) if computing(page.store) else None)
    return loaded


def suggestions_html(run: Run, parts: AnswerParts, language: str) -> str:
    """Some test rows to click: spread over the answers, never seen in training."""
    rows = test_rows(run, parts)
    if not rows:
        return ""
    chips = "".join(
        f'<button type="button" class="tb-suggestion" data-pick="{index}">{clip(_said(row, parts), 110)}'
        f"<small>{clip(parts.target(row), 80)}</small></button>"
        for index, row in enumerate(rows)
    )
    return f'<p class="tb-quiet">{safe(parts.suggestions.in_language(language))}</p><div class="tb-suggestions">{chips}</div>'


def test_rows(run: Run, parts: AnswerParts) -> list[dict[str, Any]]:
    """A few of the run's test rows, one answer after another, short enough to read."""
    try:
        with run.path("data", "test.jsonl").open(encoding="utf-8") as file:
            rows = [json.loads(line) for _, line in zip(range(400), file, strict=False)]
    except FileNotFoundError:
        return []
    by_answer: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_answer.setdefault(parts.target(row), []).append(row)
    for found in by_answer.values():
        found.sort(key=lambda row: abs(len(_said(row, parts)) - 80))
    chosen: list[dict[str, Any]] = []
    depth = 0
    while len(chosen) < SUGGESTIONS and any(len(found) > depth for found in by_answer.values()):
        chosen += [found[depth] for found in by_answer.values() if len(found) > depth]
        depth += 1
    return chosen[:SUGGESTIONS]


def _said(row: dict[str, Any], parts: AnswerParts) -> str:
    """What a person reads of a row's inputs, in one line."""
    if parts.asks:
        return str(row["inputs"][parts.asks])
    return " / ".join(value for value in row["inputs"].values() if isinstance(value, str) and value)


def question(task: str, inputs: dict[str, str]) -> dict[str, str]:
    """What was typed, as a row. UserError when there is nothing to read."""
    row = {name: (text or "").strip() for name, text in inputs.items()}
    if any(name in TASKS[task].required_inputs and not text for name, text in row.items()):
        raise UserError("empty_text", words("try.empty"))
    return {name: text for name, text in row.items() if text}


# A file in, a file out ---------------------------------------------------------------------------------------------------------


def answer_file(
    page: Page, run: Run, path: str | Path, parts: AnswerParts, language: str
) -> tuple[str, dict[str, Path]]:
    """Answer every row of a file. Returns what is shown of it, and the file of answers in every format. Raises UserError."""
    from engine.inference.batch_predict import answer_table, write_answers

    found = read_table(path, task=TASKS[run.manifest.task], limits=Limits.from_settings(page.settings))
    model = predictor(page, run)
    answered = answer_table(model, found)
    pairs = [(row, answer) for row, answer in zip(answered.rows, answered.answers, strict=True) if row and answer]
    if not pairs:
        return panel("warning", words("try.batch_empty").in_language(language)), {}
    rows, answers = [row for row, _ in pairs], [answer for _, answer in pairs]
    column = ", ".join(answered.columns.values())
    done = words("try.batch_done", rows=count(len(answers)), column=column).in_language(language)
    # Gradio serves what lies in its temporary folder; the name is ours, so that nothing else can be asked for by it.
    directory = Path(gr.utils.get_upload_folder()) / "answers" / secrets.token_hex(12)
    directory.mkdir(parents=True)
    files = {}
    for ending in formats(run.manifest.task):
        files[ending] = directory / f"predictions{ending}"
        write_answers(found, answered, model, files[ending])
    return panel("success", done) + parts.many(rows, answers, language), files
