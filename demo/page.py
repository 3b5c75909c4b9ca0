"""What every part of the page shares: this deployment's settings, its runs, its uploads, the labels, what is kept in memory.

The one place where a run id from a browser becomes a run, and so the one place where a visitor may be refused. Knows no
component but the language control.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import gradio as gr

from demo.i18n import Labels
from demo.live import History
from demo.titles import source_title
from demo.uploads import Uploads
from engine.runs.store import Run, Store
from engine.settings import Settings
from engine.text import Text

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """The few values used last, by key. Making one blocks the others that want one: two visitors never load the same model twice."""

    def __init__(self, most: int):
        self.most = most
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        with self._lock:
            if key not in self._values:
                self._values[key] = make()
                while len(self._values) > self.most:
                    self._values.popitem(last=False)
            self._values.move_to_end(key)
            return self._values[key]

    def peek(self, key: Key) -> Value | None:
        """The value if it is here already."""
        with self._lock:
            return self._values.get(key)


@dataclass
class Page:
    """One app. Handlers hold it; nothing of a visitor is in it, only caches keyed by what they cache."""

    settings: Settings
    store: Store
    uploads: Uploads
    labels: Labels = field(default_factory=Labels)
    histories: Kept[str, History] = field(default_factory=lambda: Kept(64))
    tables: Kept[tuple, Any] = field(default_factory=lambda: Kept(4))
    checks: Kept[tuple, Any] = field(default_factory=lambda: Kept(16))
    reports: Kept[tuple, Any] = field(default_factory=lambda: Kept(16))
    titles: Kept[str, Text] = field(default_factory=lambda: Kept(512))
    predictors: Kept[str, Any] = field(default_factory=lambda: Kept(2))
    language: gr.Radio | None = None
    greeting: str = ""  # the language of a visitor who asks for none; the browser's when empty
    # Several sessions may show one run; its history is read forward by one of them at a time.
    reading: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def from_settings(cls, settings: Settings, greeting: str = "") -> Page:
        uploads = Uploads(settings.runs_dir.parent / "uploads")
        return cls(settings, Store(settings.runs_dir), uploads, greeting=greeting)

    def open_run(self, run_id: str, request: gr.Request | None, control: bool = False) -> Run:
        """The run that a visitor asks for. RunProblem when it does not exist or is not theirs to see (or to `control`)."""
        run = self.store.get(run_id)
        self.authorise(run, request, control)
        return run

    def authorise(self, run: Run, request: gr.Request | None, control: bool) -> None:
        """Where a deployment with several visitors refuses. A private one belongs to whoever can reach it."""

    def title(self, run: Run) -> Text:
        """What a run is called: its own name, or that of its data."""

        def find() -> Text:
            config = run.config
            if config.name:
                return Text(config.name, config.name)
            return source_title(config) or Text(run.id, run.id)

        return self.titles.get(run.id, find)

    def history(self, run: Run) -> History:
        """Everything the run's events have said until now, read forward from the last time."""
        history = self.histories.get(run.id, History)
        with self.reading:
            events, offset = run.events(history.offset)
            history.advance(events)
            history.offset = offset
        return history
