"""Maintenance by a server that stays up: ends hung workers, enforces discard requests, removes old files, keeps a worker prewarmed.

Runs depend on it only when something is wrong: a worker takes its turn, ends and reports by itself. Any number of servers may
supervise one directory. Durations are measured with a monotonic clock: a change of the system time neither ends a run nor ages one.
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
from engine.run_directory.limits import hung
from engine.run_directory.store import ACTIVE, TRASH, Run, Store
from engine.runs.process import prewarm
from engine.runs.stop import end, enforce

ROUND_SECONDS = 10.0
# A path is removed only if it was old this long ago as well, so that a temporary jump of the clock removes nothing.
PATIENCE_SECONDS = 3600.0
DAY = 24 * 3600.0

log = logging.getLogger("tunebench.supervisor")


class Supervisor:
    """Runs `round` every ROUND_SECONDS in a thread of its own until the process ends."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], float] = time.monotonic):
        self._store = store
        self._settings = settings
        self._clock = clock
        self._beats: dict[
            str, tuple[int, float]
        ] = {}  # run id -> its last heartbeat (ns), and when that was first seen
        self._old: dict[Path, float] = {}  # path to remove -> since when it is known to be old
        self._enforced: set[str] = set()

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._go, name="supervisor", daemon=True)
        thread.start()
        return thread

    def _go(self) -> None:
        for number in itertools.count():
            try:
                self.round()
                if number:  # not while the server is still starting
                    self.prepare()
            except (OSError, UserError):
                log.exception("a round failed")  # a full or missing disk; the next round tries again
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
        # Forget runs that have ended or were deleted since the last round.
        self._beats = {name: beat for name, beat in self._beats.items() if name in beating}
        self.clean(time.time())

    def prepare(self) -> None:
        """Keep a worker prewarmed for the next run, unless a run is training, which needs the cores."""
        if self._settings.spare_worker and not self._settings.sliced and not self._beats:
            prewarm()

    def _frozen(self, run: Run) -> bool:
        """Whether the heartbeat, written every two seconds, has not changed for `hang_seconds`."""
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
        """Remove ended runs and unused uploads that are too old, and the remains of interrupted deletions."""
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
        """Uploads that no existing run refers to, so that no clone needs them either."""
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
