"""The run list, read from the disk: what was run, how it stands, how good it became. A click opens a run in its task's tab, or acts on it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import gradio as gr

from demo.i18n import Spoken, words
from demo.markup import PICK, chip, safe
from demo.page import Page
from demo.parts.model_step import model_title
from demo.parts.train_step import STATE_KIND
from demo.tabs import TABS
from engine.evaluation.metric_format import metric_name, number
from engine.run_directory.queue import position
from engine.run_directory.store import ACTIVE, Manifest, Run
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
    rows = [
        _row(page, run, language, run.id == asking)
        for run, _ in zip(page.runs_of(request), range(MAX_RUNS), strict=False)
    ]
    if not rows:
        return (
            f'<div class="tb-empty"><h2>{safe(words("runs.none").in_language(language))}</h2>'
            f"<p>{safe(words('runs.none_next').in_language(language))}</p></div>"
        )
    return f'<div class="tb-runs">{"".join(rows)}</div>'


def act(page: Page, language: str, picked: str, request: gr.Request | None) -> tuple[Run | None, str]:
    """What a click in the list does: an id opens that run, "verb:id" acts on it. Returns the run to open, and the list anew."""
    verb, _, run_id = picked.rpartition(":")
    run = page.open_run(run_id, request, control=bool(verb))
    if verb == "resume":
        resume(run, page.store, page.settings)
    elif verb == "delete":
        page.delete(run.id)
    return (None if verb else run), list_html(page, language, request, run.id if verb == "ask" else "")


def _row(page: Page, run: Run, language: str, asking: bool) -> str:
    manifest = run.manifest
    task = TABS[manifest.task].title.in_language(language) if manifest.task in TABS else manifest.task
    state = chip(words(f"state.{manifest.state}").in_language(language), STATE_KIND[manifest.state])
    result = ""
    if manifest.headline:
        headline = manifest.headline
        name = metric_name(headline["metric"]).in_language(language)
        rows = (manifest.facts.get("rows") or {}).get("test", ROWS_WHEN_UNKNOWN)
        value, low, high = (number(headline["metric"], headline[end], rows) for end in ("value", "low", "high"))
        result = f"<b>{safe(value)}</b><small>{safe(name)} · {safe(low)} – {safe(high)}</small>"
    title = page.title(run).in_language(language)
    about = f"{task} · {model_title(manifest.model).in_language(language)}"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(manifest.created))
    if manifest.state == "queued":
        ahead = words("run.ahead", ahead=position(run, page.store)).in_language(language)
        result = f"<small>{safe(ahead)}</small>"
    return (
        f'<div class="tb-run-item"><button type="button" class="tb-run-row" data-pick="{safe(manifest.id)}">'
        f'<span class="tb-run-state">{state}</span><span class="tb-run-title"><b>{safe(title)}</b><small>{safe(about)}</small></span>'
        f'<span class="tb-run-result">{result}</span><span class="tb-run-when">{safe(when)}<small>{safe(manifest.id[-8:])}</small></span></button>{_acts(run, manifest, language, asking)}</div>'
    )


def _acts(run: Run, manifest: Manifest, language: str, asking: bool) -> str:
    """What can be done with a run from its row."""
    if manifest.state in ACTIVE:
        return ""

    def button(verb: str, key: str, kind: str = "") -> str:
        said = safe(words(f"run.{key}").in_language(language))
        return f'<button type="button" class="tb-link{kind}" data-pick="{verb}:{safe(run.id)}">{said}</button>'

    if asking:
        question = words("run.delete_html").in_language(language)
        shown = question + button("delete", "really", " tb-danger") + button("keep", "keep")
    else:
        shown = (button("resume", "resume") if resumable(run, manifest) else "") + button("ask", "delete")
    kind = " tb-run-asked" if asking else ""
    return f'<div class="tb-run-acts{kind}">{shown}</div>'
