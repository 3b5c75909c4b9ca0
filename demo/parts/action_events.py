"""What happens as the owner of a run acts on it. Every handler controls the run that it was given, or refuses the visitor."""

from __future__ import annotations

from typing import Any

import gradio as gr

from demo import form
from demo.i18n import words
from demo.markup import safe
from demo.parts.tab_context import TabContext
from demo.user_error_toast import error_toast
from engine.run_directory.about import about, describe
from engine.runs.launch import resume


class ActionEvents(TabContext):
    """Handlers of the buttons below a run's head."""

    def resume_run(self, language: str, run_id: str, request: gr.Request) -> Any:
        with error_toast(language):
            run = self.page.open_run(run_id, request, control=True)
            resume(run, self.page.store, self.page.settings)
        return gr.update(visible=False)

    def train_in_slices(self, language: str, run_id: str, request: gr.Request) -> None:
        """On ZeroGPU the visitor's own event trains, slice by slice: the quota is theirs. Elsewhere a worker does it."""
        if self.page.zero is None or not run_id:
            return
        with error_toast(language):
            run = self.page.open_run(run_id, request, control=True)
            self.page.zero.train_in_slices(run, self.page.store, self.page.settings)

    def open_editor(self, language: str, run_id: str, request: gr.Request) -> list[Any]:
        with error_toast(language):
            notes = about(self.page.open_run(run_id, request, control=True))
        return [gr.update(visible=True), notes.name, notes.note, gr.update(visible=False)]

    def save_about(self, language: str, run_id: str, name: str, note: str, request: gr.Request) -> Any:
        with error_toast(language):
            describe(self.page.open_run(run_id, request, control=True), name=name or "", note=note or "")
        return gr.update(visible=False)

    def ask_delete(self, language: str, run_id: str, request: gr.Request) -> list[Any]:
        with error_toast(language):
            self.page.open_run(run_id, request, control=True)
        return [gr.update(visible=True), gr.update(visible=False)]

    def delete_run(self, language: str, run_id: str, request: gr.Request) -> list[Any]:
        """Delete, and leave the run's place empty."""
        with error_toast(language):
            self.page.open_run(run_id, request, control=True)
            self.page.delete(run_id)
        return ["", gr.update(visible=False)]

    def clone_run(self, language: str, run_id: str, request: gr.Request) -> list[Any]:
        """The form filled from the run. A file that is no longer here is left out, with a message."""
        with error_toast(language):
            config = self.page.open_run(run_id, request, control=True).config
        values = form.to_values(config)
        for path in form.FILES:
            file = getattr(config.data, path.rpartition(".")[2])
            values[path] = self.page.uploads.token_of(file) if file else ""
            if file and not values[path]:
                gr.Warning(safe(words("run.clone_no_file").in_language(language)))
        return [values.get(path, gr.skip()) for path in self.fields]
