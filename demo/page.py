"""What every part of the page shares: this deployment's settings, its runs, its uploads, the labels, what is kept in memory.

The one place where a run id from a browser becomes a run, and so the one place where a visitor may be refused. Knows no
component but the language control.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import gradio as gr

from demo.i18n import Labels
from demo.live import History
from demo.source_title import source_title
from demo.stop_events import StopEvents
from demo.uploads import Uploads
from demo.visitors import Visitors
from demo.zero import ZeroGpu
from engine.core.errors import RunProblem, UserError
from engine.core.settings import Settings
from engine.core.text import Text
from engine.run_directory.about import about
from engine.run_directory.disk import require_room
from engine.run_directory.store import Run, Store

Key = TypeVar("Key")
Value = TypeVar("Value")


class LRUCache(Generic[Key, Value]):
    """The most recently used values, by key. Making one blocks other callers: two visitors never load the same model twice."""

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

    def forget(self, key: Key) -> None:
        with self._lock:
            self._values.pop(key, None)

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
    visitors: Visitors
    labels: Labels = field(default_factory=Labels)
    histories: LRUCache[str, History] = field(default_factory=lambda: LRUCache(64))
    curves: LRUCache[tuple, str] = field(default_factory=lambda: LRUCache(64))  # one at a time; drawing is quick
    tables: LRUCache[tuple, Any] = field(default_factory=lambda: LRUCache(4))
    datasets: LRUCache[tuple, Any] = field(default_factory=lambda: LRUCache(4))
    checks: LRUCache[tuple, Any] = field(default_factory=lambda: LRUCache(16))
    reports: LRUCache[tuple, Any] = field(default_factory=lambda: LRUCache(16))
    titles: LRUCache[str, Text] = field(default_factory=lambda: LRUCache(512))
    predictors: LRUCache[str, Any] = field(default_factory=lambda: LRUCache(2))
    stop_events: StopEvents = field(default_factory=StopEvents)
    language: gr.Radio = field(init=False)  # set by demo/header.py, which every other part follows
    separate: bool = False  # each visitor has runs of their own; a private page with one login has one owner
    zero: ZeroGpu | None = None  # where GPUs come in slices
    greeting: str = ""  # the language of a visitor who asks for none; the browser's when empty
    # Several sessions may show one run; its history is read forward by one of them at a time.
    reading: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def from_settings(cls, settings: Settings, greeting: str = "") -> Page:
        visitors = Visitors.kept_in(settings.runs_dir.parent)
        uploads = Uploads(settings.uploads_dir, lambda size: require_room(settings, size))
        store = Store(settings.runs_dir)
        zero = ZeroGpu() if settings.sliced else None
        return cls(settings, store, uploads, visitors, greeting=greeting, separate=settings.public, zero=zero)

    def open_run(self, run_id: str, request: gr.Request | None, control: bool = False) -> Run:
        """The run that a visitor asks for. RunProblem when it does not exist or is not theirs to see (or to `control`)."""
        run = self.store.get(run_id)
        self.authorise(run, request, control)
        return run

    def authorise(self, run: Run, request: gr.Request | None, control: bool) -> None:
        """RunProblem for a visitor who wants to control a run that is not theirs. A private deployment belongs to whoever can reach it.

        A run is found by its unguessable id alone: whoever was given its link may read its report and try its model.
        """
        if control and not self.owns(run, request):
            raise RunProblem(
                "not_yours",
                Text("This run belongs to someone else.", "该运行属于其他人。"),
                Text(
                    "You can read its report and try its model. To change something, start a run of your own.",
                    "你可以阅读它的报告、试用它的模型；如需改动，请新建自己的运行。",
                ),
            )

    def owner(self, request: gr.Request | None) -> str:
        """Whom a run that is started now belongs to; empty on a private deployment, where there is one owner."""
        return self.visitors.of(request) if self.separate else ""

    def owns(self, run: Run, request: gr.Request | None) -> bool:
        """Whether a run belongs to a visitor."""
        if not self.separate:
            return True
        visitor = self.visitors.of(request)
        return bool(visitor) and run.manifest.owner == visitor

    def delete(self, run_id: str) -> None:
        """Delete a run, and what was kept of it in memory."""
        self.store.delete(run_id)
        for kept in (self.histories, self.titles, self.predictors):
            kept.forget(run_id)

    def runs_of(self, request: gr.Request | None) -> Iterator[Run]:
        """The runs that a visitor's list shows, newest first."""
        return (run for run in self.store if self.owns(run, request))

    def title(self, run: Run) -> Text:
        """The name of a run, or of its data; its id where its configuration cannot be read."""
        if name := about(run).name:
            return Text(name, name)
        own_id = Text(run.id, run.id)
        try:
            return self.titles.get(run.id, lambda: source_title(run.config) or own_id)
        except UserError:
            return own_id

    def history(self, run: Run) -> History:
        """The state that a run's events amount to; only events after the last call are read."""
        history = self.histories.get(run.id, History)
        with self.reading:
            events, offset = run.events(history.offset)
            history.advance(events)
            history.offset = offset
        return history
