"""Trying the tuned model: one text with the tuned and the untuned answer side by side, or a file in and a file out.

Knows the inputs, buttons and downloads; answers are shown by the tab (`AnswerView`). The model lives in this
process, loaded once, with few threads: the worker next door needs the cores more.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from demo import form
from demo.i18n import words
from demo.markup import PICK, clip, count, panel, safe
from demo.page import Page
from demo.parts.tab_spec import TabSpec
from demo.zero import GpuPredictor
from engine.core.errors import UserError
from engine.data.limits import Limits
from engine.data.load import read_table
from engine.run_directory.queue import computing
from engine.run_directory.store import Run
from engine.tasks.spec import TaskSpec

MAX_CHARACTERS = 100_000
SUGGESTIONS = 6
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


def formats(task: TaskSpec) -> dict[str, str]:
    """The formats in which a task's answers can be saved, by file ending: tables, and those of the task's field."""
    return {**FORMATS, **{ending: own.label for ending, own in task.export_formats.items()}}


@dataclass
class Playground:
    """The components of the block."""

    inputs: dict[str, gr.Textbox]
    ask: gr.Button
    answer: gr.HTML
    suggestions: gr.HTML
    style: dict[str, gr.Slider]  # length and style of generated texts, by field of `GenerationSpec`; else empty
    stop: gr.Button | None
    upload: gr.UploadButton
    batch: gr.HTML
    downloads: dict[str, gr.DownloadButton]  # by ending


def build(page: Page, spec: TabSpec) -> Playground:
    make, task = page.labels.make, spec.name
    inputs = {}
    for name in spec.task.inputs:
        role = spec.task.role(name)
        inputs[name] = make(
            gr.Textbox,
            label=role.label,
            placeholder=spec.placeholders.get(name, role.help),
            lines=spec.lines.get(name, 3),
            max_lines=16,
            max_length=MAX_CHARACTERS,
            visible=name in spec.task.required_inputs,
            elem_id=f"{task}-try-{name}",
        )
    sliders = _generation_sliders(page, task) if spec.streams else {}
    stop = None
    if spec.streams:
        with gr.Row(elem_classes="tb-ask"):
            ask = make(gr.Button, value=spec.ask, variant="primary", scale=4, elem_id=f"{task}-ask")
            stop = make(gr.Button, value=words("generation.stop"), interactive=False, scale=1, elem_id=f"{task}-stop")
    else:
        ask = make(gr.Button, value=spec.ask, variant="primary", elem_id=f"{task}-ask")
    answer = gr.HTML("", js_on_load=GOTO, apply_default_css=False, elem_id=f"{task}-answer")
    suggestions = gr.HTML("", js_on_load=PICK, apply_default_css=False, elem_id=f"{task}-suggestions")
    make(gr.HTML, value=words("try.batch_html"), apply_default_css=False)
    downloads = {}
    with gr.Row(elem_classes="tb-batch"):
        upload = make(
            gr.UploadButton,
            label=words("try.batch_upload"),
            file_types=sorted({*TABLES, *spec.task.export_formats}),
            size="sm",
            elem_id=f"{task}-batch",
        )
        for ending, label in formats(spec.task).items():
            downloads[ending] = gr.DownloadButton(
                label, size="sm", visible=False, elem_id=f"{task}-batch-download-{ending[1:]}"
            )
    batch = gr.HTML("", apply_default_css=False)
    return Playground(inputs, ask, answer, suggestions, sliders, stop, upload, batch, downloads)


def _generation_sliders(page: Page, task: str) -> dict[str, gr.Slider]:
    """Length and style of generated texts, by field of `GenerationSpec`."""
    make, options = page.labels.make, form.fields()
    with make(gr.Accordion, label=words("generation.controls"), open=False, elem_id=f"{task}-style"), gr.Row():
        tokens = make(
            gr.Slider, 8, 512, value=64, step=8, label=words("generation.tokens"), info=words("generation.tokens_help"),
            min_width=160,
        )  # fmt: skip
        beams = make(
            gr.Slider, 1, 8, value=1, step=1, label=options["generation.beams"].option.label,
            info=words("generation.beams_help"), min_width=160,
        )  # fmt: skip
        temperature = make(
            gr.Slider, 0, 1.5, value=0, step=0.1, label=options["generation.temperature"].option.label,
            info=words("generation.temperature_help"), min_width=160,
        )  # fmt: skip
    return {"max_new_tokens": tokens, "beams": beams, "temperature": temperature}


def predictor(page: Page, run: Run) -> Any:
    """The run's predictor, loaded once and kept among the last two. It has all cores, or half of them while something trains."""

    def load() -> Any:
        if page.zero is not None:
            return GpuPredictor(run.directory, page.zero)
        from engine.inference.predictor import load_predictor

        return load_predictor(run.directory)

    loaded = page.predictors.get(run.id, load)
    if page.zero is None:
        from engine.models.device import use_threads

        use_threads(max(1, (os.cpu_count() or 2) // 2) if computing(page.store) else None)
    return loaded


def suggestions_html(run: Run, spec: TabSpec, language: str) -> str:
    """Some test rows to click: one reference answer after another."""
    rows = test_rows(run, spec)
    if not rows:
        return ""
    chips = "".join(
        f'<button type="button" class="tb-suggestion" data-pick="{index}">{clip(_input_text(row, spec), 110)}'
        f"<small>{clip(spec.answers.target(row), 80)}</small></button>"
        for index, row in enumerate(rows)
    )
    return f'<p class="tb-quiet">{safe(spec.suggestions.in_language(language))}</p><div class="tb-suggestions">{chips}</div>'


def test_rows(run: Run, spec: TabSpec) -> list[dict[str, Any]]:
    """A few of the run's test rows, one reference answer after another, those of about 80 characters first."""
    try:
        with run.path("data", "test.jsonl").open(encoding="utf-8") as file:
            rows = [json.loads(line) for _, line in zip(range(400), file, strict=False)]
    except FileNotFoundError:
        return []
    by_target: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_target.setdefault(spec.answers.target(row), []).append(row)
    for same_target in by_target.values():
        same_target.sort(key=lambda row: abs(len(_input_text(row, spec)) - 80))
    chosen: list[dict[str, Any]] = []
    depth = 0
    while len(chosen) < SUGGESTIONS and any(len(same_target) > depth for same_target in by_target.values()):
        chosen += [same_target[depth] for same_target in by_target.values() if len(same_target) > depth]
        depth += 1
    return chosen[:SUGGESTIONS]


def _input_text(row: dict[str, Any], spec: TabSpec) -> str:
    """A test row's inputs in one line."""
    if spec.suggested_input:
        return str(row["inputs"][spec.suggested_input])
    return " / ".join(value for value in row["inputs"].values() if isinstance(value, str) and value)


def typed_row(task: TaskSpec, inputs: dict[str, str]) -> dict[str, str]:
    """The inputs that a visitor typed, as a row. UserError where a required one is empty."""
    row = {name: (text or "").strip() for name, text in inputs.items()}
    if any(not row.get(name) for name in task.required_inputs):
        raise UserError("empty_text", words("try.empty"))
    return {name: text for name, text in row.items() if text}


# A file in, a file out ---------------------------------------------------------------------------------------------------------


def answer_file(page: Page, run: Run, path: str | Path, spec: TabSpec, language: str) -> tuple[str, dict[str, Path]]:
    """Answer every row of a file. Returns what is shown of it, and the file of answers in every format. Raises UserError."""
    from engine.inference.batch_predict import answer_table, write_answers

    table = read_table(path, task=spec.task, limits=Limits.from_settings(page.settings))
    model = predictor(page, run)
    answered = answer_table(model, table)
    pairs = [(row, answer) for row, answer in zip(answered.rows, answered.answers, strict=True) if row and answer]
    if not pairs:
        return panel("warning", words("try.batch_empty").in_language(language)), {}
    rows, answers = [row for row, _ in pairs], [answer for _, answer in pairs]
    column = ", ".join(answered.columns.values())
    done = words("try.batch_done", rows=count(len(answers)), column=column).in_language(language)
    # Gradio serves what lies in its temporary folder; the name is ours, so that nothing else can be requested by it.
    directory = Path(gr.utils.get_upload_folder()) / "answers" / secrets.token_hex(12)
    directory.mkdir(parents=True)
    files = {}
    for ending in formats(spec.task):
        files[ending] = directory / f"predictions{ending}"
        write_answers(table, answered, model, files[ending])
    return panel("success", done) + spec.answers.many(rows, answers, language), files
