"""Which event of a task's tab is answered by which handler, and which components that fills."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from demo.page import Page
from demo.parts.action_events import ActionEvents
from demo.parts.data_events import DataEvents
from demo.parts.hub_events import HubEvents
from demo.parts.model_step import FORMATS
from demo.parts.opening_events import OpeningEvents
from demo.parts.takeaway_events import TakeawayEvents
from demo.parts.task_tab import TaskTab
from demo.parts.try_events import TryEvents
from engine.data.split_names import SPLITS

# No mark of waiting, on no component. Hidden alone, Gradio's page still tells every component that ever waited of every message of every
# handler, and looks for each of them in the whole page (benchmarks/README.md).
NO_PROGRESS: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": []}
# Internal handlers: not documented, not in the history of runs that Gradio keeps in the browser.
PRIVATE: dict[str, Any] = {"api_visibility": "private", **NO_PROGRESS}


def private_for(components: list[Any]) -> dict[str, Any]:
    """PRIVATE for a handler that gives `components` their words: a tab whose page was not shown yet hears of its name with a status."""
    return {**PRIVATE, "show_progress_on": [component for component in components if isinstance(component, gr.Tab)]}


SET_RUN_PARAMETER = """(id) => {
  const url = new URL(window.location); if (id) url.searchParams.set('run', id); else url.searchParams.delete('run');
  window.history.replaceState({}, '', url); }"""
SCROLL_TO_RUN = "() => { if (window.tunebench) window.tunebench.toRun(); }"


def connect(page: Page, tab: TaskTab) -> None:
    """Wire the whole tab."""
    Wiring(page, tab).connect()


class Wiring(ActionEvents, DataEvents, HubEvents, OpeningEvents, TryEvents, TakeawayEvents):
    """All handlers of one tab, connected."""

    def connect(self) -> None:
        tab, language = self.tab, self.page.language
        everything = [language, *self.inputs]
        data, model = tab.data, tab.model

        picked = data.cards.select(
            self.pick_example,
            [language],
            [*data.source_outputs(), data.cards, data.source, data.view, data.findings],
            queue=False,
            **PRIVATE,
        )
        uploaded = data.uploads["data.train"].upload(
            self.keep_upload,
            [language, data.uploads["data.train"]],
            [*data.source_outputs(), data.cards, data.view, data.findings],
            **PRIVATE,
        )
        looks = [picked, uploaded]
        for name in ("data.validation", "data.test"):
            looks.append(
                data.uploads[name].upload(
                    self.keep_more, [language, data.uploads[name]], [self.fields[name]], **PRIVATE
                )
            )
        hub = data.hub
        hub_fields = [hub.fields[f"data.hub_{name}"] for name in ("config", *SPLITS)]
        looks.append(
            gr.on(
                [
                    hub.look.click,
                    hub.name.submit,
                    hub.token.submit,
                    hub.fields["data.hub_revision"].submit,
                    *(field.input for field in hub_fields),
                ],
                self.query_hub,
                [language, *hub.hub_inputs],
                self.hub_outputs,
                **PRIVATE,
            )
        )
        hub.fields["data.hub"].change(self.show_hub, [hub.fields["data.hub"]], [hub.name], queue=False, **PRIVATE)
        separator = self.fields["data.label_separator"]
        read_again = [separator.submit, separator.blur, *(option.input for option in data.reading())]
        looked = gr.on(read_again, self.read_data, everything, self.read_data_outputs, **PRIVATE)
        looked.then(self.check_data, everything, [data.findings], **PRIVATE).then(
            self.describe, everything, self.describe_outputs, queue=False, **PRIVATE
        )
        for event in looks:
            self.connect_reading(event)
        for role in self.spec.task.roles:
            corrected = self.fields[f"data.columns.{role.name}"].input(
                self.show_data, everything, [data.view], **PRIVATE
            )
            corrected.then(self.check_data, everything, [data.findings], **PRIVATE)
        mended = data.findings.select(self.apply_fix, everything, self.inputs, **PRIVATE)
        mended.then(self.show_data, everything, [data.view], **PRIVATE).then(
            self.check_data, everything, [data.findings], **PRIVATE
        )
        # What a model cannot read, and what it cuts off, depends on the model.
        length = self.fields["model.max_length"]
        gr.on(
            [self.fields["model.id"].change, length.submit, length.blur],
            self.check_data,
            everything,
            [data.findings],
            trigger_mode="always_last",
            **PRIVATE,
        )
        model.cards.select(self.pick_model, None, [self.fields["model.id"]], queue=False, **PRIVATE)
        # Columns that were guessed are described once, after the data was looked at; an event for each would take the browser longer.
        by_hand = [
            field.input if path.startswith("data.columns.") else field.change for path, field in self.fields.items()
        ]
        gr.on(
            by_hand,
            self.describe,
            everything,
            self.describe_outputs,
            queue=False,
            trigger_mode="always_last",
            **PRIVATE,
        ).then(self.remember, [tab.restored, *everything], [tab.draft], queue=False, **PRIVATE)
        if model.edit:
            model.edit.click(
                self.write_formats, self.inputs, [self.fields[path] for path in FORMATS], queue=False, **PRIVATE
            )
        started = tab.start.click(self.start, everything, [tab.run_id, tab.problem], **PRIVATE)
        started.then(self.show, self.show_inputs, self.show_outputs, queue=False, **PRIVATE).then(
            None, js=SCROLL_TO_RUN
        )
        if self.page.zero is not None:
            # The event of the visitor who pays with their quota; one GPU, one slice at a time.
            slices: dict[str, Any] = {**PRIVATE, "concurrency_id": "gpu", "concurrency_limit": 1}
            started.then(self.train_in_slices, [language, tab.run_id], None, **slices)
        tab.run_id.change(None, [tab.run_id], js=SET_RUN_PARAMETER)
        # Raised by the script that watches a live run.
        tab.train.status.submit(self.show, self.show_inputs, self.show_outputs, queue=False, **PRIVATE)
        tab.ended.change(self.show_results, [language, tab.run_id], self.results_outputs, **PRIVATE)
        tab.train.keep.click(self.stop_and_keep, [language, tab.run_id], [tab.train.controls], queue=False, **PRIVATE)
        tab.train.discard.click(
            self.stop_and_discard, [language, tab.run_id], [tab.train.controls], queue=False, **PRIVATE
        )
        self.connect_actions()
        opened = tab.report.groups.select(self.open_group, [language, tab.run_id], [tab.report.opened], **PRIVATE)
        opened.then(None, js=f"() => window.tunebench.bring('{self.task}-opened')")
        self.connect_playground()
        self.connect_takeaway()

    def connect_actions(self) -> None:
        """The buttons below a run's head. After each of them the run is shown as it then stands."""
        tab, acts = self.tab, self.tab.actions
        chosen = [self.page.language, tab.run_id]
        quick: dict[str, Any] = {"queue": False, **PRIVATE}
        closed = gr.update(visible=False)
        acted = [
            acts.resume.click(self.resume_run, chosen, [acts.resume], **quick),
            acts.save.click(self.save_about, [*chosen, acts.name, acts.note], [acts.editor], **quick),
            acts.really.click(self.delete_run, chosen, [tab.run_id, acts.confirm], **quick),
        ]
        if self.page.zero is not None:
            slices: dict[str, Any] = {**PRIVATE, "concurrency_id": "gpu", "concurrency_limit": 1}
            acted[0].success(self.train_in_slices, chosen, None, **slices)
        for event in acted:
            event.success(self.show, self.show_inputs, self.show_outputs, **quick)
        acts.edit.click(self.open_editor, chosen, [acts.editor, acts.name, acts.note, acts.confirm], **quick)
        acts.delete.click(self.ask_delete, chosen, [acts.confirm, acts.editor], **quick)
        acts.cancel.click(lambda: closed, None, [acts.editor], **quick)
        acts.keep.click(lambda: closed, None, [acts.confirm], **quick)
        # What was opened for one run is not for the next.
        tab.run_id.change(lambda: [closed, closed], None, [acts.editor, acts.confirm], **quick)
        cloned = acts.clone.click(self.clone_run, chosen, self.inputs, **quick)
        self.connect_reading(cloned)
        cloned.success(None, js="() => window.scrollTo({top: 0, behavior: 'smooth'})")

    def connect_playground(self) -> None:
        tab, language, play = self.tab, self.page.language, self.tab.playground
        typed = list(play.inputs.values())
        slow: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "inference", "concurrency_limit": 1}
        tab.try_tab.select(self.warm, [language, tab.run_id], None, **NO_PROGRESS, **slow)
        ask: Callable[..., Any]
        if play.stop is not None:  # where answers are streamed
            # The answer shows by itself that it grows; a bar over it would hide that.
            asking = {**NO_PROGRESS, **slow}
            inputs, outputs = [language, tab.run_id, *play.style.values(), *typed], [play.answer, play.stop]
            ask = self.write
            tab.ended.change(self.style_of, [tab.run_id], [*play.style.values()], queue=False, **PRIVATE)
            play.stop.click(self.stop_writing, None, [play.stop], queue=False, **PRIVATE)
        else:
            asking = {"show_progress_on": [play.answer], **slow}
            inputs, outputs, ask = [language, tab.run_id, *typed], [play.answer], self.ask
        gr.on([play.ask.click, typed[0].submit], ask, inputs, outputs, **asking)
        suggested = play.suggestions.select(self.suggest, [language, tab.run_id], typed, queue=False, **PRIVATE)
        if self.spec.answers_while_typing:
            # While one answer is made the newest text waits; what was typed in between is never answered.
            typed[0].change(
                self.ask_as_typed,
                [language, tab.run_id, *typed],
                [play.answer],
                trigger_mode="always_last",
                **NO_PROGRESS,
                **slow,
            )
        else:
            suggested.then(ask, inputs, outputs, **asking)
        play.upload.upload(
            self.answer_file,
            [language, tab.run_id, play.upload],
            [play.batch, *play.downloads.values()],
            show_progress_on=[play.batch],
            **slow,
        )

    def connect_takeaway(self) -> None:
        tab, language, out = self.tab, self.page.language, self.tab.export.takeaway
        # One export at a time: each loads a model.
        slow: dict[str, Any] = {**PRIVATE, "concurrency_id": "export", "concurrency_limit": 1}
        tab.ended.change(self.ready, [language, tab.run_id], self.ready_outputs, queue=False, **PRIVATE)
        for way, handler in (("zip", self.prepare_zip), ("space", self.prepare_space)):
            out.prepare[way].click(handler, [language, tab.run_id, out.with_onnx], out.outcome, **slow)
        inputs = [language, tab.run_id, out.repo, out.kind, out.private, out.with_onnx]
        gr.on([out.plan.click, out.repo.submit], self.plan_upload, inputs, [out.planned, out.push], **slow)
        out.push.click(self.upload, [*inputs, out.token], [out.planned, out.push, out.token], **slow)
        gr.on(
            [out.repo.input, out.kind.input, out.private.input, out.with_onnx.input],
            self.replan,
            None,
            [out.planned, out.push],
            queue=False,
            **PRIVATE,
        )

    def connect_reading(self, event: Any) -> Any:
        """After a change of source: read it, then check it."""
        everything = [self.page.language, *self.inputs]
        examined = event.then(self.read_data, everything, self.read_data_outputs, **PRIVATE).then(
            self.check_data, everything, [self.tab.data.findings], **PRIVATE
        )
        # The check knows the language, and with it the model that would be taken.
        return examined.then(self.describe, everything, self.describe_outputs, queue=False, **PRIVATE)
