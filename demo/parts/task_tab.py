"""One task's tab: data and model on the left, what is learned on the right, and what happens between them.

Lays the parts out for any task; what is special to a task comes in as a `TabSpec`. Every handler takes the language first and the run
id as text, and turns the id into a run through `Page.open_run` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.form import paths
from demo.i18n import Labels, Spoken, words
from demo.markup import count, render, safe
from demo.page import Page
from demo.parts import data_step, export, model_step, playground, report_view, run_actions, train_step
from demo.parts.tab_spec import TabSpec
from engine.core.text import Text


@dataclass
class TaskTab:
    """The components of one tab, for the wiring."""

    spec: TabSpec
    labels: Labels
    opened_language: gr.Textbox
    changed_language: gr.Textbox
    run_id: gr.Textbox
    ended: gr.Textbox
    shown_hashes: gr.State
    draft: gr.BrowserState
    restored: gr.State
    plan: gr.HTML
    start: gr.Button
    problem: gr.HTML
    code: gr.HTML
    empty: gr.HTML
    panel: gr.Column
    head: gr.HTML
    actions: run_actions.RunActions
    tabs: gr.Tabs
    try_tab: gr.Tab
    data: data_step.DataStep
    model: model_step.ModelStep
    train: train_step.TrainStep
    report: report_view.ReportView
    playground: playground.Playground
    export: export.Export

    @property
    def fields(self) -> dict[str, Any]:
        """Every field that reaches RunConfig, by path, in the order of `form.paths`."""
        components = {**self.data.fields, **self.model.fields}
        return {path: components[path] for path in paths(self.spec.name)}


def build(page: Page, spec: TabSpec) -> TaskTab:
    """Lay out the tab. Call inside the Blocks; `wiring.connect` brings it to life."""
    make, name, mark = page.labels.make, spec.name, len(page.labels.entries)
    # The language in which the tab was first opened, empty until then, and the one chosen after that.
    opened_language, changed_language = (gr.Textbox("", visible=False) for _ in range(2))
    # The run's id, and its final state once it has ended.
    run_id, ended = (gr.Textbox("", visible=False) for _ in range(2))
    shown_hashes = gr.State({})
    # The values of the form, kept in the visitor's browser: restored on reload, also after a restart of the server.
    draft = gr.BrowserState("", storage_key=f"tunebench-draft-{name}", secret=f"tunebench-draft-{name}")
    restored = gr.State(False)
    with gr.Row(elem_classes="tb-hero"):
        with gr.Column(scale=5, min_width=280):
            plan = make(gr.HTML, value=Spoken(lambda language: hero_html(spec, "", language)), apply_default_css=False)
        with gr.Column(scale=2, min_width=220, elem_classes="tb-hero-action"):
            start = make(gr.Button, value=words("start.example"), variant="primary", size="lg", elem_id=f"{name}-start")
    if page.settings.public:
        make(gr.HTML, value=Spoken(lambda language: limits_html(page, language)), apply_default_css=False)
    problem = gr.HTML("", apply_default_css=False, elem_id=f"{name}-problem")
    with gr.Row(elem_classes="tb-columns-main"):
        with gr.Column(scale=9, min_width=320, elem_classes="tb-left"):
            data = data_step.build(page, spec)
            model = model_step.build(page, spec.task)
            with make(gr.Accordion, label=words("code.title"), open=False, elem_id=f"{name}-code"):
                code = gr.HTML("", apply_default_css=False)
        with gr.Column(scale=11, min_width=320, elem_classes="tb-right", elem_id=f"{name}-right"):
            empty = make(gr.HTML, value=Spoken(_empty_html), apply_default_css=False)
            with gr.Column(visible=False, elem_classes="tb-run") as panel:
                head = gr.HTML("", apply_default_css=False, elem_id=f"{name}-head")
                actions = run_actions.build(page, name)
                with gr.Tabs(selected="train", elem_classes="tb-inner-tabs", overflow_behavior="wrap") as tabs:
                    with make(gr.Tab, label=words("tab.train"), id="train"):
                        train = train_step.build(page, name)
                    with make(gr.Tab, label=words("tab.report"), id="report"):
                        report = report_view.build(page, name)
                    with make(gr.Tab, label=words("tab.try"), id="try") as try_tab:
                        play = playground.build(page, spec)
                    with make(gr.Tab, label=words("tab.export"), id="export"):
                        out = export.build(page, name)
    for path, component in {**data.fields, **model.fields}.items():
        component.elem_id = component.elem_id or f"{name}-{path.replace('.', '-')}"
    return TaskTab(
        spec,
        page.labels.since(mark),
        opened_language,
        changed_language,
        run_id,
        ended,
        shown_hashes,
        draft,
        restored,
        plan,
        start,
        problem,
        code,
        empty,
        panel,
        head,
        actions,
        tabs,
        try_tab,
        data,
        model,
        train,
        report,
        play,
        out,
    )


def hero_html(spec: TabSpec, plan: str, language: str) -> str:
    """What the tab is for, and what the button would do now."""
    return (
        f'<div class="tb-hero-text"><h1>{safe(spec.promise.in_language(language))}</h1>'
        f'<p class="tb-plan">{safe(plan)}</p></div>'
    )


def limits_html(page: Page, language: str) -> str:
    """What a public deployment accepts, shown before anything is chosen."""
    settings, weights = page.settings, page.settings.max_model_parameters
    limits = [
        words("limits.rows", megabytes=settings.max_upload_mb, rows=count(settings.max_rows)),
        words("limits.epochs", epochs=f"{settings.max_epochs:g}"),
        words("limits.model", size=Text(f"{weights / 1e6:,.0f} million", f"{weights / 1e8:,.3g} 亿")),
        words("limits.time", minutes=count(max(1, settings.max_seconds // 60))),
    ]
    if settings.max_per_visitor:
        limits.append(words("limits.runs", runs=settings.max_per_visitor))
    if settings.keep_days:
        limits.append(words("limits.days", days=settings.keep_days))
    return render("limits.html", language, limits=[limit.in_language(language) for limit in limits])


def _empty_html(language: str) -> str:
    """The right column before there is a run: what will be shown there."""
    return render("empty.html", language, steps=("watch", "read", "try"))
