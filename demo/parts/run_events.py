"""Events of a run: it is started, polled, stopped, its results shown.

Nothing here trains: a run is a process of its own, identified by its id. Every handler turns the id it was given into a run
through `Page.open_run` alone, which is where a visitor may be refused.
"""

from __future__ import annotations

import threading
from typing import Any

import gradio as gr

from demo import data_preview
from demo.i18n import words
from demo.markup import error_panel, panel, safe
from demo.parts import export, playground, report_view, train_step, watch
from demo.parts.plan_events import problems_html
from demo.parts.tab_context import TabContext
from demo.user_error_toast import error_toast
from engine.core.errors import UserError
from engine.run_directory.limits import over_limits
from engine.run_directory.store import ACTIVE, Run
from engine.runs.launch import launch, resumable
from engine.runs.stop import ask, enforce


class RunEvents(TabContext):
    """Handlers of the run and its report."""

    @property
    def show_inputs(self) -> list[Any]:
        return [self.page.language, self.tab.run_id, self.tab.shown_hashes]

    @property
    def show_outputs(self) -> list[Any]:
        """In the order of the parts in `show`."""
        tab, train = self.tab, self.tab.train
        live = [train.status, train.curves, train.facts, train.notes, train.controls, train.log_fold, train.log]
        acts = [tab.actions.row, tab.actions.resume, tab.actions.delete]
        return [tab.empty, tab.panel, tab.head, *live, *acts, tab.ended, tab.shown_hashes]

    def start(self, language: str, request: gr.Request, *values: Any) -> list[Any]:
        """Begin a run and return its id; everything else is read from its directory."""
        try:
            config = self.config(values)
            if problems := [*config.validate(), *over_limits(config, self.page.settings)]:
                return [gr.skip(), problems_html(problems, "start.refused", language)]
            if errors := data_preview.blocking_findings(self.page, config):
                messages = "".join(f"<p>{safe(finding.message.in_language(language))}</p>" for finding in errors)
                return [gr.skip(), panel("error", words("start.refused").in_language(language), messages)]
            run, _ = launch(config, self.page.store, self.page.settings, self.page.owner(request))
        except UserError as error:
            return [gr.skip(), error_panel(error, language, words("start.refused"))]
        return [run.id, ""]

    def show(self, language: str, run_id: str, seen: dict[str, int], request: gr.Request) -> list[Any]:
        """What is new of the run since this visitor last saw it. Nothing new, nothing sent: no flicker, no lost selection."""
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        parts: dict[str, Any] = {
            # Taken out of the page in the midst of an event, it would count the event's seconds with every frame from then on.
            "empty": gr.update(visible="hidden") if run_id else shown,
            "panel": shown if run_id else hidden,
            **dict.fromkeys(("head", "status", "curves", "facts", "notes"), ""),
            "controls": hidden,
            "log_fold": hidden,
            "log": "",
            "actions": hidden,
            "resume": hidden,
            "delete": hidden,
            "ended": "",
        }
        if run_id:
            try:
                run = self.page.open_run(run_id, request)
                told_now = train_step.updates(self.page, run, language)
                told_now["status"] += watch.mark(run_id, told_now, language)
                state = told_now.pop("state")
                parts |= told_now
                active = state in ACTIVE
                mine = self.page.owns(run, request)
                parts["actions"] = shown if mine else hidden
                parts["resume"] = shown if mine and not active and resumable(run) else hidden
                parts["delete"] = hidden if active else shown
                if mine and state in ("queued", "running"):
                    parts["controls"] = shown
                if state in ("failed", "interrupted"):
                    parts |= {"log_fold": shown, "log": run.log_tail(20_000)}
                parts["ended"] = "" if active else f"{run.id}:{state}"
            except UserError as error:
                parts["head"] = error_panel(error, language)
        now = watch.fingerprints(run_id, parts)
        return [*(value if seen.get(name) != now[name] else gr.skip() for name, value in parts.items()), now]

    def stop_and_keep(self, language: str, run_id: str, request: gr.Request) -> Any:
        return self._stop(language, run_id, "keep", request)

    def stop_and_discard(self, language: str, run_id: str, request: gr.Request) -> Any:
        return self._stop(language, run_id, "discard", request)

    def _stop(self, language: str, run_id: str, action: str, request: gr.Request) -> Any:
        with error_toast(language):
            run = self.page.open_run(run_id, request, control=True)
            ask(run, action)
        # Whoever asks sees to it; after a crash of this server its supervisor does.
        threading.Thread(target=enforce, args=(run,), daemon=True).start()
        return gr.update(visible=False)

    @property
    def results_outputs(self) -> list[Any]:
        tab, out = self.tab, self.tab.export
        return [
            tab.report.top, tab.report.groups, tab.report.opened, tab.report.rest, tab.tabs,
            tab.playground.suggestions, tab.playground.answer, tab.playground.batch, *tab.playground.downloads.values(),
            *tab.playground.inputs.values(), out.html, out.markdown, out.log, out.code,
        ]  # fmt: skip

    def report_of(self, run: Run) -> dict[str, Any] | None:
        from engine.report.files import load_report

        if not run.path("report", "report.json").is_file():
            return None
        return self.page.reports.get(
            (run.id, run.path("report", "report.json").stat().st_mtime), lambda: load_report(run.path("report"))
        )

    def show_results(self, language: str, run_id: str, request: gr.Request) -> list[Any]:
        """The report, the playground and the downloads of a run that has ended; an empty page while it goes on."""
        inputs = [gr.skip() for _ in self.tab.playground.inputs]
        no_downloads = [gr.update(visible=False) for _ in self.tab.playground.downloads]
        none = f'<p class="tb-nothing">{safe(words("report.not_yet").in_language(language))}</p>'
        off = gr.update(value=None, interactive=False)
        blank = [
            none,
            "",
            "",
            "",
            gr.Tabs(selected="train"),
            none,
            "",
            "",
            *no_downloads,
            *inputs,
            off,
            off,
            off,
            "",
        ]
        if not run_id:
            return blank
        try:
            run = self.page.open_run(run_id, request)
            report = self.report_of(run)
        except UserError:
            return blank
        if report is None:
            return blank
        columns = run.manifest.facts.get("columns") or {}
        for index, name in enumerate(self.tab.playground.inputs):
            if name in self.spec.task.optional_inputs:
                inputs[index] = gr.update(visible=bool(columns.get(name)))
        ended = run.state not in ACTIVE
        markdown = "report.zh-CN.md" if language == "zh-CN" else "report.md"
        files = [
            export.download(run, *parts) for parts in (("report", "report.html"), ("report", markdown), ("train.log",))
        ]
        above, clickable, below = report_view.report_html(report, language)
        return [
            above,
            clickable,
            "",
            below,
            gr.Tabs(selected="report" if ended else "train"),
            playground.suggestions_html(run, self.spec, language),
            "",
            "",
            *no_downloads,
            *inputs,
            *files,
            export.code_html(run, self.page.settings.public, language),
        ]

    @property
    def relabel_outputs(self) -> list[Any]:
        tab, out = self.tab, self.tab.export
        return [tab.report.top, tab.report.groups, tab.report.rest, tab.playground.suggestions, out.markdown, out.code]

    def relabel_results(self, language: str, run_id: str, request: gr.Request) -> list[Any]:
        """The same in another language; what the visitor typed and opened stays."""
        by_component = dict(
            zip(
                (component._id for component in self.results_outputs),
                self.show_results(language, run_id, request),
                strict=True,
            )
        )
        return [by_component[component._id] for component in self.relabel_outputs]

    def open_group(self, language: str, run_id: str, chosen: gr.SelectData, request: gr.Request) -> str:
        """The test rows behind what was clicked, such as a cell of the matrix."""
        with error_toast(language):
            run = self.page.open_run(run_id, request)
            report = self.report_of(run)
        if report is None:
            return ""
        return report_view.picked_html(run.path("report"), report, str(chosen.value), language)
