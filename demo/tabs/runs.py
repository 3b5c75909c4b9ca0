"""The run list, read from the disk: what was run, how it stands, how good it became. A click opens a run in its task's tab."""

from __future__ import annotations

import time
from dataclasses import dataclass

import gradio as gr

from demo.i18n import Spoken, words
from demo.markup import PICK, chip, percent, safe
from demo.page import Page
from demo.parts.model_step import model_title
from demo.parts.train_step import STATE_KIND
from engine.evaluation.words import metric_name
from engine.runs.store import Run

MOST_SHOWN = 200


@dataclass
class RunsTab:
    """The components of the tab."""

    list: gr.HTML
    refresh: gr.Button


def build(page: Page) -> RunsTab:
    make = page.labels.make
    with gr.Row(elem_classes="tb-hero"):
        with gr.Column(scale=5, min_width=280):
            make(gr.HTML, value=Spoken(_heading), apply_default_css=False)
        with gr.Column(scale=1, min_width=140, elem_classes="tb-hero-action"):
            refresh = make(gr.Button, value=words("runs.refresh"), size="sm", elem_id="runs-refresh")
    return RunsTab(gr.HTML("", js_on_load=PICK, apply_default_css=False, elem_id="runs-list"), refresh)


def _heading(language: str) -> str:
    return (
        f'<div class="tb-hero-text"><h1>{safe(words("runs.heading").in_language(language))}</h1>'
        f'<p class="tb-plan">{safe(words("runs.note").in_language(language))}</p></div>'
    )


def list_html(page: Page, language: str) -> str:
    """Every run as a row to click, newest first."""
    rows = []
    for run, _ in zip(page.store, range(MOST_SHOWN), strict=False):
        rows.append(_row(page, run, language))
    if not rows:
        return (
            f'<div class="tb-empty"><h2>{safe(words("runs.none").in_language(language))}</h2>'
            f"<p>{safe(words('runs.none_next').in_language(language))}</p></div>"
        )
    return f'<div class="tb-runs">{"".join(rows)}</div>'


def _row(page: Page, run: Run, language: str) -> str:
    manifest = run.manifest
    task = words(f"{manifest.task}.title").in_language(language)
    state = chip(words(f"state.{manifest.state}").in_language(language), STATE_KIND[manifest.state])
    result = ""
    if manifest.headline:
        headline = manifest.headline
        name = metric_name(headline["metric"]).in_language(language)
        result = f"<b>{percent(headline['value'])}</b><small>{safe(name)} · {percent(headline['low'])} – {percent(headline['high'])}</small>"
    title = page.title(run).in_language(language)
    about = f"{task} · {model_title(manifest.model).in_language(language)}"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(manifest.created))
    return (
        f'<button type="button" class="tb-run-row" data-pick="{safe(manifest.id)}">'
        f'<span class="tb-run-state">{state}</span><span class="tb-run-title"><b>{safe(title)}</b><small>{safe(about)}</small></span>'
        f'<span class="tb-run-result">{result}</span><span class="tb-run-when">{safe(when)}<small>{safe(manifest.id[-8:])}</small></span></button>'
    )
