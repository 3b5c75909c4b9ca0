"""What a server that stays up sees to: frozen workers, requests that nobody answers, what has become old, a worker for the next run.

Runs need it only when something is wrong: a worker ends, reports and takes its turn without anyone. Any number of servers may
do this on one directory. Time is this process's own count of seconds: a clock that is set does not end a run, nor age one.
"""

from __future__ import annotations

import itertools
import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from engine.core.errors import UserError
from engine.core.settings import Settings
from engine.run_directory.identity import on_this_host
from engine.run_directory.store import ACTIVE, TRASH, Run, Store
from engine.runs.process import get_ready
from engine.runs.stop import end, enforce, hung

ROUND_SECONDS = 10.0
# What is old is removed when it was found old this long ago too, so that a clock that jumped for a while removes nothing.
PATIENCE_SECONDS = 3600.0
DAY = 24 * 3600.0

log = logging.getLogger("tunebench.patrol")


class Patrol:
    """Goes its rounds in a thread of its own until the process ends."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], float] = time.monotonic):
        self._store = store
        self._settings = settings
        self._clock = clock
        self._beats: dict[str, tuple[int, float]] = {}  # run -> its last heartbeat, and when that was first seen
        self._old: dict[Path, float] = {}  # what is to be removed, and since when it is known
        self._enforced: set[str] = set()

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._go, name="patrol", daemon=True)
        thread.start()
        return thread

    def _go(self) -> None:
        for number in itertools.count():
            try:
                self.round()
                if number:  # the first page comes first
                    self.prepare()
            except (OSError, UserError):
                log.exception("a round was not finished")  # a full or vanished disk; the next round tries again
            time.sleep(ROUND_SECONDS)

    def round(self) -> None:
        beating = set()
        for run in self._store:
            manifest = run.manifest
            if manifest.state not in ACTIVE or manifest.process is None or not on_this_host(manifest.process):
                continue
            beating.add(run.id)
            if run.requested_stop == "discard" and run.id not in self._enforced:
                self._enforced.add(run.id)
                threading.Thread(target=enforce, args=(run,), daemon=True).start()
            if self._frozen(run):
                log.warning("run %s gave no sign of life for %d s", run.id, self._settings.hang_seconds)
                end(run, "failed", hung(self._settings.hang_seconds))
        # Those that ended, and those that ended and were deleted since the last round.
        self._beats = {name: beat for name, beat in self._beats.items() if name in beating}
        self.clean(time.time())

    def prepare(self) -> None:
        """Have a worker ready for the next run, unless one trains, which needs the cores."""
        if self._settings.spare_worker and not self._settings.sliced and not self._beats:
            get_ready()

    def _frozen(self, run: Run) -> bool:
        """Whether the heartbeat, written every two seconds, has not changed for as long as a worker may hang."""
        try:
            beat = run.path("heartbeat").stat().st_mtime_ns
        except FileNotFoundError:
            beat = 0
        now = self._clock()
        seen, since = self._beats.get(run.id, (None, now))
        if beat != seen:
            self._beats[run.id] = (beat, now)
            return False
        return now - since >= self._settings.hang_seconds

    def clean(self, now: float) -> None:
        """Remove ended runs and unused uploads that are too old, and what broken deletions left."""
        old = [*self._old_runs(now), *self._old_uploads(now)]
        if self._store.directory.is_dir():
            old += list(self._store.directory.glob(f"{TRASH}*"))
        self._old = {path: self._old.get(path, self._clock()) for path in old}
        for path, since in list(self._old.items()):
            if self._clock() - since < PATIENCE_SECONDS:
                continue
            log.info("removing %s", path.name)
            if path.parent == self._store.directory and not path.name.startswith(TRASH):
                self._store.delete(path.name)
            else:
                shutil.rmtree(path)

    def _old_runs(self, now: float) -> list[Path]:
        if not self._settings.keep_days:
            return []
        ended = ((run, manifest) for run in self._store if (manifest := run.manifest).state not in ACTIVE)
        limit = now - self._settings.keep_days * DAY
        return [run.directory for run, manifest in ended if (manifest.finished or manifest.queued) < limit]

    def _old_uploads(self, now: float) -> list[Path]:
        """Uploads that no run was started with, from which none can be cloned either."""
        folder = self._settings.uploads_dir
        if not folder.is_dir():
            return []
        limit = now - self._settings.keep_upload_days * DAY
        old = [upload for upload in folder.iterdir() if upload.is_dir() and upload.stat().st_mtime < limit]
        if not old:
            return []
        used = {
            Path(path).parent
            for run in self._store
            for path in (run.config.data.train, run.config.data.validation, run.config.data.test)
            if path
        }
        return [upload for upload in old if upload not in used]
