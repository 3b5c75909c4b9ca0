"""The whole page, as a table of contents."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from demo.api import build_api
from demo.header import build_header
from demo.i18n import words
from demo.page import Page
from demo.page_load import connect_page_load
from demo.parts import task_tab, wiring
from demo.tabs import TABS, runs
from engine.core.settings import Settings

HERE = Path(__file__).parent
# Uploads and answers lie in Gradio's folder for a day at most, on a public page, where strangers could fill it, for six hours:
# (seconds between cleanings, age in seconds). What a run needs is kept elsewhere (demo/uploads.py).
CLEAN_UP = (3600, 86_400)
CLEAN_UP_PUBLIC = (600, 21_600)


def build_demo(settings: Settings, language: str = "", page: Page | None = None) -> gr.Blocks:
    """The page of a deployment. `language` greets visitors who ask for none. Imports neither torch nor transformers."""
    page = page or Page.from_settings(settings, language)
    with gr.Blocks(
        title="Tunebench", analytics_enabled=False, delete_cache=CLEAN_UP_PUBLIC if settings.public else CLEAN_UP
    ) as demo:
        build_header(page)
        with gr.Tabs(selected=next(iter(TABS)), elem_classes="tb-tabs", overflow_behavior="wrap") as tabs:
            task_tabs = {}
            for spec in TABS.values():
                with page.labels.make(gr.Tab, label=spec.title, id=spec.name) as gradio_tab:
                    task_tabs[gradio_tab] = task_tab.build(page, spec)
            with page.labels.make(gr.Tab, label=words("runs.title"), id="runs") as runs_tab:
                listed = runs.build(page)
        for tab in task_tabs.values():
            wiring.connect(page, tab)
        connect_page_load(demo, page, tabs, task_tabs, runs_tab, listed)
        build_api(page)
    return demo
