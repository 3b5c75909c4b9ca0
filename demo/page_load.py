"""Events of the page as a whole: it is loaded, its language is changed, a run is opened from the list.

Knows the parameters of the address (`?run=`, `?lang=`) and the browser's language. A change of language replaces labels and markup
only: no field that a person fills is among its outputs.
"""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from demo.i18n import choose_language
from demo.page import Page
from demo.parts.task_tab import TaskTab
from demo.parts.wiring import PRIVATE, Wiring, private_for
from demo.tabs import runs
from demo.user_error_toast import error_toast
from engine.core.errors import RunProblem

STORAGE_KEY = "tunebench-language"
# BrowserState encrypts with a secret that is random at each start unless it is set; what is kept here is no secret.
STORAGE_SECRET = "tunebench-language"
SET_LANGUAGE_PARAMETER = """(language) => {
  document.documentElement.lang = language;
  const url = new URL(window.location); url.searchParams.set('lang', language); window.history.replaceState({}, '', url);
}"""
# Also opens the tab that the visitor has selected meanwhile.
READY = """(language, ...opened) => {
  const page = document.documentElement, names = NAMES;
  page.lang = language; page.dataset.loaded = 'yes'; page.classList.add('tb-ready');
  const here = (name) => document.querySelector(`[role=tab][aria-selected=true][data-tab-id="${name}"]`);
  return opened.map((one, place) => one || !here(names[place]) ? one : language);
}"""

# A tab is filled when it is first selected: filling all of them at once would take the browser many seconds. Gradio also raises
# `select` while the page is being built, before language and run are known.
OPEN_TAB = "(language, opened) => opened || !document.documentElement.dataset.loaded ? opened : language"
CHANGE_LANGUAGE = "(language, ...opened) => opened.map((one) => (one ? language : ''))"


def connect_page_load(
    demo: gr.Blocks, page: Page, tabs: gr.Tabs, task_tabs: dict[gr.Tab, TaskTab], runs_tab: gr.Tab, listed: runs.RunsTab
) -> None:
    """Connect the events. `task_tabs` are the tabs at the top of the page and what each of them holds."""
    built = list(task_tabs.values())
    remembered = gr.BrowserState("", storage_key=STORAGE_KEY, secret=STORAGE_SECRET)
    language = page.language
    run_ids, opened_languages = [tab.run_id for tab in built], [tab.opened_language for tab in built]

    def load(remembered_language: str, request: gr.Request) -> list[Any]:
        """The visitor's language, and the run in the address, in the tab of its task. Only that tab is filled now."""
        query = request.query_params
        chosen = choose_language(
            query.get("lang", ""),
            remembered_language or page.greeting,
            request.headers.get("accept-language", ""),
        )
        run_id = query.get("run", "")
        if not run_id:
            return [chosen, gr.skip(), *("" for _ in built), chosen, *(gr.skip() for _ in built[1:])]
        try:
            task = page.open_run(run_id, request).manifest.task
        except RunProblem:
            # The first tab shows why.
            task = built[0].spec.name
        here = [tab.spec.name == task for tab in built]
        return [
            chosen,
            gr.Tabs(selected=task),
            *(run_id if its else "" for its in here),
            *(chosen if its else gr.skip() for its in here),
        ]

    def list_runs(chosen: str, request: gr.Request) -> str:
        return runs.list_html(page, chosen, request)

    def act(chosen_language: str, chosen: gr.SelectData, request: gr.Request) -> list[Any]:
        with error_toast(chosen_language):
            run, listing = runs.act(page, chosen_language, str(chosen.value), request)
        if run is None:
            return [listing, gr.skip(), *(gr.skip() for _ in built)]
        task = run.manifest.task
        return [listing, gr.Tabs(selected=task), *(run.id if tab.spec.name == task else gr.skip() for tab in built)]

    frame = page.labels.without(tab.labels for tab in built)
    loaded = demo.load(load, [remembered], [language, tabs, *run_ids, *opened_languages], queue=False, **PRIVATE)
    ready = READY.replace("NAMES", json.dumps([tab.spec.name for tab in built]))
    words = private_for(frame.components)
    loaded.then(frame.first_updates, [language], frame.components, queue=False, **words).then(
        None, [language, *opened_languages], opened_languages, js=ready
    )
    switched = language.input(frame.updates, [language], frame.components, queue=False, **words)
    switched.then(None, [language], js=SET_LANGUAGE_PARAMETER)
    language.input(lambda chosen: chosen, [language], [remembered], queue=False, **PRIVATE)
    language.input(None, [language, *opened_languages], [tab.changed_language for tab in built], js=CHANGE_LANGUAGE)
    for gradio_tab, tab in task_tabs.items():
        handlers = Wiring(page, tab)
        everything = [language, *handlers.inputs]
        gradio_tab.select(None, [language, tab.opened_language], [tab.opened_language], js=OPEN_TAB)
        first_opened = tab.opened_language.change(
            handlers.open,
            handlers.open_inputs,
            handlers.open_outputs,
            queue=False,
            **private_for(handlers.open_outputs),
        )
        handlers.connect_reading(first_opened)
        words = private_for(tab.labels.components)
        tab.changed_language.change(tab.labels.updates, [language], tab.labels.components, queue=False, **words)
        tab.changed_language.change(handlers.show, handlers.show_inputs, handlers.show_outputs, queue=False, **PRIVATE)
        tab.changed_language.change(handlers.describe, everything, handlers.describe_outputs, queue=False, **PRIVATE)
        tab.changed_language.change(handlers.redraw_data, everything, handlers.redraw_outputs, **PRIVATE)
        tab.changed_language.change(
            handlers.relabel_results, [language, tab.run_id], handlers.relabel_outputs, **PRIVATE
        )
        play = tab.playground
        inputs = [language, tab.run_id, play.answer, *play.inputs.values()]
        tab.changed_language.change(handlers.ask_again, inputs, [play.answer], **PRIVATE)

    listing: dict[str, Any] = {"queue": False, **PRIVATE}
    runs_tab.select(list_runs, [language], [listed.list], **listing)
    listed.refresh.click(list_runs, [language], [listed.list], **listing)
    language.input(list_runs, [language], [listed.list], **listing)
    opened = listed.list.select(act, [language], [listed.list, tabs, *run_ids], **listing)
    for tab in built:
        handlers = Wiring(page, tab)
        opened.then(handlers.show, handlers.show_inputs, handlers.show_outputs, queue=False, **PRIVATE)
