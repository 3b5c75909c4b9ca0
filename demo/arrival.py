"""What happens when a visitor arrives, changes the language, or opens a run from the list.

Knows how the address (`?run=`, `?lang=`) and the browser's language become a page, and that changing the language replaces words
only: no field that a person fills is among its outputs.
"""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from demo.i18n import choose_language
from demo.page import Page
from demo.parts.task_tab import TaskTab
from demo.parts.wiring import QUIET, Wiring, quiet_for
from demo.tabs import runs
from demo.user_error_toast import told
from engine.core.errors import RunProblem

STORAGE_KEY = "tunebench-language"
# BrowserState encrypts with a secret that is random at each start unless it is set; what is kept here is no secret.
STORAGE_SECRET = "tunebench-language"
SAY_LANGUAGE = """(language) => {
  document.documentElement.lang = language;
  const url = new URL(window.location); url.searchParams.set('lang', language); window.history.replaceState({}, '', url);
}"""
# Who was quicker than the answer, and is in another tab by now, is there too.
READY = """(language, ...spoken) => {
  const page = document.documentElement, names = NAMES;
  page.lang = language; page.dataset.arrived = 'yes'; page.classList.add('tb-ready');
  const here = (name) => document.querySelector(`[role=tab][aria-selected=true][data-tab-id="${name}"]`);
  return spoken.map((one, place) => one || !here(names[place]) ? one : language);
}"""

# A tab comes to life when somebody first comes to it: all of them at once would take the browser many seconds. Gradio also says
# that a tab was selected while the page is being built, when nobody knows the language or the run yet.
COME_TO_LIFE = "(language, spoken) => spoken || !document.documentElement.dataset.arrived ? spoken : language"
SPEAK_AGAIN = "(language, ...spoken) => spoken.map((one) => (one ? language : ''))"


def connect_arrival(
    demo: gr.Blocks, page: Page, tabs: gr.Tabs, doors: dict[gr.Tab, TaskTab], runs_tab: gr.Tab, listed: runs.RunsTab
) -> None:
    """`doors` leads from the tabs at the top to what is in them."""
    built = list(doors.values())
    remembered = gr.BrowserState("", storage_key=STORAGE_KEY, secret=STORAGE_SECRET)
    language = page.language
    run_ids, spoken = [tab.run_id for tab in built], [tab.spoken for tab in built]

    def arrive(remembered_language: str, request: gr.Request) -> list[Any]:
        """The visitor's language, and the run in the address, in the tab of its task. Only that tab comes to life now."""
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

    def act(spoken: str, chosen: gr.SelectData, request: gr.Request) -> list[Any]:
        with told(spoken):
            run, listing = runs.act(page, spoken, str(chosen.value), request)
        if run is None:
            return [listing, gr.skip(), *(gr.skip() for _ in built)]
        task = run.manifest.task
        return [listing, gr.Tabs(selected=task), *(run.id if tab.spec.name == task else gr.skip() for tab in built)]

    frame = page.labels.without(tab.labels for tab in built)
    arrived = demo.load(arrive, [remembered], [language, tabs, *run_ids, *spoken], queue=False, **QUIET)
    ready = READY.replace("NAMES", json.dumps([tab.spec.name for tab in built]))
    words = quiet_for(frame.components)
    arrived.then(frame.first_updates, [language], frame.components, queue=False, **words).then(
        None, [language, *spoken], spoken, js=ready
    )
    switched = language.input(frame.updates, [language], frame.components, queue=False, **words)
    switched.then(None, [language], js=SAY_LANGUAGE)
    language.input(lambda chosen: chosen, [language], [remembered], queue=False, **QUIET)
    language.input(None, [language, *spoken], [tab.again for tab in built], js=SPEAK_AGAIN)
    for door, tab in doors.items():
        scene = Wiring(page, tab)
        everything = [language, *scene.inputs]
        door.select(None, [language, tab.spoken], [tab.spoken], js=COME_TO_LIFE)
        came = tab.spoken.change(scene.open, scene.opened_from, scene.opened, queue=False, **quiet_for(scene.opened))
        scene.look_after(came)
        words = quiet_for(tab.labels.components)
        tab.again.change(tab.labels.updates, [language], tab.labels.components, queue=False, **words)
        tab.again.change(scene.show, scene.shown_from, scene.shown, queue=False, **QUIET)
        tab.again.change(scene.describe, everything, scene.described, queue=False, **QUIET)
        tab.again.change(scene.redraw_data, everything, scene.redrawn, **QUIET)
        tab.again.change(scene.retell, [language, tab.run_id], scene.repeated_notices_in, **QUIET)
        play = tab.playground
        asked = [language, tab.run_id, play.answer, *play.inputs.values()]
        tab.again.change(scene.ask_again, asked, [play.answer], **QUIET)

    listing: dict[str, Any] = {"queue": False, **QUIET}
    runs_tab.select(list_runs, [language], [listed.list], **listing)
    listed.refresh.click(list_runs, [language], [listed.list], **listing)
    language.input(list_runs, [language], [listed.list], **listing)
    opened = listed.list.select(act, [language], [listed.list, tabs, *run_ids], **listing)
    for tab in built:
        scene = Wiring(page, tab)
        opened.then(scene.show, scene.shown_from, scene.shown, queue=False, **QUIET)
