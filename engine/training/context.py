"""The context of one run: its directory, configuration, events and settings, the time of each stage, and requests to stop.

Knows which stage is running and since when. Does not know what a stage does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from engine.config import RunConfig
from engine.core.settings import Settings
from engine.core.text import Text
from engine.run_directory.store import Run
from engine.training.events import EventLog
from engine.training.stopping import StopRequested


class RunContext:
    """What every stage of a run needs beside the results of earlier stages.

    `config` is the configuration as written; the one with every `auto` decided is `PreparedData.config`. `seconds` holds the duration
    of each stage that has ended, by its name in events. `slice_seconds` limits the training of this process where GPUs come in slices.
    """

    def __init__(self, run: Run, events: EventLog, settings: Settings, slice_seconds: float | None = None):
        self.run = run
        self.events = events
        self.settings = settings
        self.config: RunConfig = run.config
        self.seconds: dict[str, float] = {}
        self._slice_seconds = slice_seconds
        self._slice_deadline = math.inf
        self._stage = ""
        self._stage_start = 0.0

    def begin(self, stage: str) -> None:
        """End the stage before and begin this one. Raises StopRequested."""
        self.check_discarded()
        self.end()
        self._stage, self._stage_start = stage, time.perf_counter()
        self.events.phase(stage)

    def end(self) -> None:
        """Record the duration of the current stage."""
        if self._stage:
            self.seconds[self._stage] = round(time.perf_counter() - self._stage_start, 3)
        self._stage = ""

    def begin_slice(self) -> None:
        """Start the clock of the training slice. Loading is not counted: every slice has the same time for training."""
        if self._slice_seconds is not None:
            self._slice_deadline = time.monotonic() + self._slice_seconds

    @property
    def slice_over(self) -> bool:
        return time.monotonic() >= self._slice_deadline

    def check_discarded(self) -> None:
        """Raises StopRequested once the owner wants no result."""
        if self.run.requested_stop == "discard":
            raise StopRequested

    def keep_alive(self, done: int, total: int) -> None:
        """Progress callback of short evaluations: resets the watchdog and raises StopRequested when the run is discarded."""
        self.events.sign_of_life()
        self.check_discarded()

    def progress_of(self, what: Text) -> Callable[[int, int], None]:
        """Progress callback of a long evaluation, which is also written to the events."""

        def progress(done: int, total: int) -> None:
            self.check_discarded()
            self.events.progress("evaluate", what, done, total)

        return progress
