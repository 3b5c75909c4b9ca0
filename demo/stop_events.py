"""Stopping a generation before its end.

One event a visitor and tab: a new request ends the one before it, and the stop button reaches nobody else's. Knows session hashes
and nothing of models.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

MAX_VISITORS = 256  # visitors remembered; an event that is forgotten only can no longer be stopped by its button


class StopEvents:
    """The stop event of each visitor's latest request."""

    def __init__(self) -> None:
        self._events: OrderedDict[tuple[str, str], threading.Event] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, session: str, task: str) -> threading.Event:
        """The event of a new request; the visitor's request before it ends."""
        event = threading.Event()
        with self._lock:
            before = self._events.pop((session, task), None)
            self._events[session, task] = event
            while len(self._events) > MAX_VISITORS:
                self._events.popitem(last=False)
        if before is not None:
            before.set()
        return event

    def stop(self, session: str, task: str) -> None:
        with self._lock:
            event = self._events.get((session, task))
        if event is not None:
            event.set()
