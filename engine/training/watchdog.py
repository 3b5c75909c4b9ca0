"""The worker's threads beside the work: a heartbeat for those who watch, and an end for work that hangs or takes too long.

Knows seconds and memory. Does not know what is being done: progress is reported through the event log.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import threading
import time
from collections.abc import Callable

import psutil

from engine.core.errors import RunFailure
from engine.core.settings import Settings
from engine.run_directory.limits import hung, out_of_time
from engine.run_directory.store import Run
from engine.training.events import EventLog

HEARTBEAT_SECONDS = 2.0
# Training stops by itself when its time is up, with a report; only what comes after it may still overrun, by this much.
OVERTIME, SPARE_SECONDS = 1.5, 120.0
MEGABYTE = 2**20


def start_heart(run: Run) -> threading.Event:
    """Write the heartbeat until the returned event is set: memory in MB, always as many bytes, which a full disk still takes."""
    stop = threading.Event()

    def beat() -> None:
        memory = psutil.virtual_memory()
        signs = {"available_mb": memory.available // MEGABYTE, "total_mb": memory.total // MEGABYTE}
        try:
            with run.path("heartbeat").open("r+b" if run.path("heartbeat").exists() else "w+b") as file:
                file.write(json.dumps(signs).ljust(64).encode())
        except OSError:
            return  # the run itself meets the same disk, and reports it

    def go() -> None:
        while not stop.wait(HEARTBEAT_SECONDS):
            beat()

    beat()
    threading.Thread(target=go, name="heartbeat", daemon=True).start()
    return stop


class Watchdog:
    """Ends this process when there was no sign of progress for too long, or when the run's time is up and overdrawn."""

    def __init__(self, events: EventLog, settings: Settings, give_up: Callable[[RunFailure], None]):
        self._events = events
        self._settings = settings
        self._give_up = give_up
        self._stop = threading.Event()

    def start(self) -> None:
        self._began = time.monotonic()
        self._events.sign_of_life()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _watch(self) -> None:
        limit = self._settings.max_seconds * OVERTIME + SPARE_SECONDS
        while not self._stop.wait(min(1.0, self._settings.hang_seconds / 4)):
            now = time.monotonic()
            if now - self._events.last_sign >= self._settings.hang_seconds:
                problem = hung(self._settings.hang_seconds)
            elif now - self._began >= limit:
                problem = out_of_time(self._settings)
            else:
                continue
            # Where every thread stands, into the log; then out, without waiting for any of them.
            faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
            self._give_up(problem)
            os._exit(1)
