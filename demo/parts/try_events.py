"""Events of the playground: a text is answered, a test row filled in, a file answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from demo.i18n import words
from demo.markup import error_panel
from demo.parts import playground
from demo.parts.tab_context import TabContext
from demo.user_error_toast import error_toast
from engine.core.errors import UserError
from engine.run_directory.store import ACTIVE, Run


def _can_answer(run: Run) -> bool:
    return run.path("model").is_dir() and run.state not in ACTIVE


class TryEvents(TabContext):
    """Handlers of the playground."""

    def warm(self, language: str, run_id: str, request: gr.Request) -> None:
        """Load the model while the visitor is still typing. An error appears when they ask."""
        try:
            run = self.page.open_run(run_id, request)
            if _can_answer(run):
                playground.predictor(self.page, run)
        except UserError:
            return

    def ask(self, language: str, run_id: str, request: gr.Request, *typed: str) -> str:
        with error_toast(language):
            run = self.page.open_run(run_id, request)
            row = playground.typed_row(self.spec.task, dict(zip(self.tab.playground.inputs, typed, strict=True)))
            view = self.spec.answers
            rows = view.split(row) if view.split is not None else [row]
            model = playground.predictor(self.page, run)
            tuned = model.predict(rows)
            base = model.predict(rows, base=True) if model.knows_base else None
        if view.together is not None:
            return view.together(rows, tuned, base, language)
        return view.one(row, tuned[0], base[0] if base else None, language)

    def ask_as_typed(self, language: str, run_id: str, request: gr.Request, *typed: str) -> str:
        """The answer to what stands there now; nothing while nothing does, and while the run has no model yet."""
        if not run_id or not any(map(str.strip, typed)):
            return ""
        with error_toast(language):
            ready = _can_answer(self.page.open_run(run_id, request))
        return self.ask(language, run_id, request, *typed) if ready else ""

    def ask_again(self, language: str, run_id: str, request: gr.Request, shown: str, *typed: str) -> Any:
        """The answer on the screen, in another language."""
        return self.ask(language, run_id, request, *typed) if shown else gr.skip()

    def write(
        self, language: str, run_id: str, request: gr.Request, tokens: int, beams: int, temperature: float, *typed: str
    ) -> Iterator[list[Any]]:
        """Both models' texts as they grow: first the tuned one's, then the untuned one's. The stop button ends both."""
        view, waiting, ready = self.spec.answers, gr.update(interactive=True), gr.update(interactive=False)
        stop = self.page.stop_events.begin(request.session_hash or "", self.task)
        style = {"max_new_tokens": int(tokens), "beams": int(beams), "temperature": float(temperature)}
        with error_toast(language):
            run = self.page.open_run(run_id, request)
            row = playground.typed_row(self.spec.task, dict(zip(self.tab.playground.inputs, typed, strict=True)))
        yield [view.one(row, None, None, language), waiting]
        shown: list[dict[str, Any] | None] = [None, None]
        try:
            with error_toast(language):
                model = playground.predictor(self.page, run)
                for which in (False, True):
                    for answer in model.stream(row, stop, base=which, **style):
                        shown[which] = answer
                        yield [view.one(row, shown[0], shown[1], language), gr.skip()]
                    if stop.is_set():
                        break
        finally:
            stop.set()
        yield [view.one(row, shown[0], shown[1], language), ready]

    def style_of(self, run_id: str, request: gr.Request) -> Any:
        """The sliders as the run writes; what a visitor chose since stays until another run ends."""
        skipped = [gr.skip() for _ in self.tab.playground.style]
        if not run_id:
            return skipped
        try:
            form = self.page.open_run(run_id, request).manifest.facts.get("generation")
        except UserError:
            return skipped
        return [form[name] for name in self.tab.playground.style] if form else skipped

    def stop_writing(self, request: gr.Request) -> Any:
        """The visitor's own request ends at its next token."""
        self.page.stop_events.stop(request.session_hash or "", self.task)
        return gr.update(interactive=False)

    def suggest(self, language: str, run_id: str, chosen: gr.SelectData, request: gr.Request) -> Any:
        with error_toast(language):
            rows = playground.test_rows(self.page.open_run(run_id, request), self.spec)
        row = rows[int(chosen.value)]["inputs"]
        typed = [row.get(name, "") or "" for name in self.tab.playground.inputs]
        return typed[0] if len(typed) == 1 else typed

    def answer_file(self, language: str, run_id: str, path: str, request: gr.Request) -> list[Any]:
        try:
            run = self.page.open_run(run_id, request)
            shown, files = playground.answer_file(self.page, run, path, self.spec, language)
        except UserError as error:
            shown, files = error_panel(error, language, words("data.unreadable")), {}
        return [
            shown,
            *(
                gr.update(value=str(files[ending]), visible=True) if ending in files else gr.update(visible=False)
                for ending in self.tab.playground.downloads
            ),
        ]
