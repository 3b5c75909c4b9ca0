"""How a run ends before its last stage: the exceptions that unwind it, and SIGTERM delayed to the end of an update.

Knows why a run ends. Does not know what is saved on the way out (fit.py) or how the end is recorded (worker.py).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class StopRequested(Exception):
    """The owner discarded the run: it ends without a result."""


class Terminated(Exception):
    """The system is ending this process. The training state is worth a checkpoint if there is time to write one."""


class SliceOver(Terminated):
    """A training slice has ended; its checkpoint is where the next slice starts."""


class DeferredSigterm:
    """A context in which SIGTERM sets `received` after calling `on_signal`, which may raise.

    The handler that was set before is restored on exit. Python delivers signals to the main thread only: in another thread the context
    does nothing, and the run is stopped by its owner's request instead.
    """

    def __init__(self, on_signal: Callable[[], None]):
        self.received = False
        self._on_signal = on_signal
        self._previous: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGTERM, self._handle)

    def __exit__(self, *raised: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGTERM, self._previous)
            self._previous = None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        self._on_signal()
