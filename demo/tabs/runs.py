"""The run list, read from the disk: what was run, how it stands, how good it became. A click opens a run in its task's tab, or acts on it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.i18n import Spoken, words
from demo.markup import PICK, render, safe
from demo.page import Page
from demo.parts.model_step import model_title
from demo.parts.train_step import STATE_KIND
from demo.tabs import TABS
from engine.evaluation.metric_format import metric_name, number
from engine.run_directory.queue import position
from engine.run_directory.store import ACTIVE, Run
from engine.runs.launch import resumable, resume

MAX_RUNS = 200
ROWS_WHEN_UNKNOWN = 200  # enough for a digit more


@dataclass
class RunsTab:
    """The components of the tab."""

    list: gr.HTML
    refresh: gr.Button


def build(page: Page) -> RunsTab:
    make = page.labels.make
    with gr.Row(elem_classes="tb-hero"):
        with gr.Column(scale=5, min_width=280):
            make(gr.HTML, value=Spoken(lambda language: _heading(page, language)), apply_default_css=False)
        with gr.Column(scale=1, min_width=140, elem_classes="tb-hero-action"):
            refresh = make(gr.Button, value=words("runs.refresh"), size="sm", elem_id="runs-refresh")
    return RunsTab(gr.HTML("", js_on_load=PICK, apply_default_css=False, elem_id="runs-list"), refresh)


def _heading(page: Page, language: str) -> str:
    key = "runs.heading_public" if page.separate else "runs.heading"
    return (
        f'<div class="tb-hero-text"><h1>{safe(words(key).in_language(language))}</h1>'
        f'<p class="tb-plan">{safe(words("runs.note").in_language(language))}</p></div>'
    )


def list_html(page: Page, language: str, request: gr.Request | None = None, asking: str = "") -> str:
    """Every run of the visitor as a row to click, newest first; for the run `asking`, whether it is really to be deleted."""
    runs = [
        _row(page, run, language, run.id == asking)
        for run, _ in zip(page.runs_of(request), range(MAX_RUNS), strict=False)
    ]
    delete_question = Markup(words("run.delete_html").in_language(language))
    return render("runs.html", language, runs=runs, delete_question=delete_question)


def act(page: Page, language: str, picked: str, request: gr.Request | None) -> tuple[Run | None, str]:
    """What a click in the list does: an id opens that run, "verb:id" acts on it. Returns the run to open, and the list anew."""
    verb, _, run_id = picked.rpartition(":")
    run = page.open_run(run_id, request, control=bool(verb))
    if verb == "resume":
        resume(run, page.store, page.settings)
    elif verb == "delete":
        page.delete(run.id)
    return (None if verb else run), list_html(page, language, request, run.id if verb == "ask" else "")


def _row(page: Page, run: Run, language: str, confirming: bool) -> dict[str, Any]:
    """A run as the template shows it; `confirming` asks whether it is to be deleted."""
    manifest = run.manifest
    task = TABS[manifest.task].title.in_language(language) if manifest.task in TABS else manifest.task
    score = detail = ""
    if manifest.state == "queued":
        detail = words("run.ahead", ahead=position(run, page.store)).in_language(language)
    elif headline := manifest.headline:
        rows = (manifest.facts.get("rows") or {}).get("test", ROWS_WHEN_UNKNOWN)
        score, low, high = (number(headline["metric"], headline[end], rows) for end in ("value", "low", "high"))
        detail = f"{metric_name(headline['metric']).in_language(language)} · {low} – {high}"
    ended = manifest.state not in ACTIVE
    return {
        "id": run.id,
        "state": words(f"state.{manifest.state}").in_language(language),
        "state_kind": STATE_KIND[manifest.state],
        "title": page.title(run).in_language(language),
        "about": f"{task} · {model_title(manifest.model).in_language(language)}",
        "score": score,
        "detail": detail,
        "created": time.strftime("%Y-%m-%d %H:%M", time.localtime(manifest.created)),
        "ended": ended,
        "confirming": ended and confirming,
        "resumable": ended and resumable(run, manifest),
    }
