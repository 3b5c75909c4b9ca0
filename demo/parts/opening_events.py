"""Event of a tab that is first opened: its words, the visitor's draft, the plan, and the run it shows, in one event.

The browser looks through the whole page for every event, so that four in a row would take it seconds.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from demo.parts import data_step
from demo.parts.plan_events import PlanEvents
from demo.parts.run_events import RunEvents


class OpeningEvents(PlanEvents, RunEvents):
    """Handler of a tab that is first opened."""

    @property
    def open_inputs(self) -> list[Any]:
        tab = self.tab
        return [tab.opened_language, tab.run_id, tab.shown_hashes, tab.draft]

    @property
    def open_outputs(self) -> list[Any]:
        tab = self.tab
        parts = [
            tab.labels.components,
            self.show_outputs,
            self.inputs,
            [tab.restored, tab.data.cards],
            self.describe_outputs,
        ]
        return list({component._id: component for part in parts for component in part}.values())

    def open(self, language: str, run_id: str, seen: dict[str, int], draft: str, request: gr.Request) -> list[Any]:
        """One update for each component of `opened`."""
        left = self.values_of_draft(draft)
        if left.get("data.example") is None:
            left["data.example"] = self.opens_with("data.example", language)
        values = [left.get(path, field.value) for path, field in self.fields.items()]
        updates: dict[int, dict[str, Any]] = {component._id: gr.skip() for component in self.open_outputs}
        for components, news in (
            (self.tab.labels.components, self.tab.labels.first_updates(language)),
            (self.show_outputs, self.show(language, run_id, seen, request)),
            (self.inputs, [left.get(path, gr.skip()) for path in self.fields]),
            # In the reader's language other examples come first. Later, one might move under a hand that is about to choose.
            (
                [self.tab.restored, self.tab.data.cards],
                [True, data_step.cards_html(self.task, left["data.example"], language)],
            ),
            (self.describe_outputs, self.describe(language, *values)),
        ):
            for component, new in zip(components, news, strict=True):
                update = new if _is_update(new) else gr.update(value=new)
                updates[component._id] = {**updates[component._id], **update}
        return [updates[component._id] for component in self.open_outputs]


def _is_update(value: Any) -> bool:
    return isinstance(value, dict) and value.get("__type__") == "update"
