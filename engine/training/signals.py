"""SIGTERM during training: noted, and acted on between two updates, when there is something whole to keep."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class Deferred:
    """A context in which SIGTERM sets `came` after calling `first`, which may raise. Outside, what was set before applies."""

    def __init__(self, first: Callable[[], None]):
        self.came = False
        self._first = first
        self._before: Any = None

    def __enter__(self) -> None:
        # Python hears signals in its main thread alone; a session in another one is stopped by its owner's request.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._note)

    def __exit__(self, *raised: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
            self._before = None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        self._first()
