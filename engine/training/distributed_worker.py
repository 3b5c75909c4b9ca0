"""A process that learns beside the leader of a run and writes nothing (together.py).

Knows when to begin and when to end. Everything that a run writes and decides is the leader's.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path
from typing import Any

from engine.core.settings import Settings
from engine.run_directory.store import Manifest, Run
from engine.tasks import task_named
from engine.training.events import EventLog
from engine.training.pipeline import RunContext
from engine.training.process_group import ProcessGroup
from engine.training.stopping import StopRequested, Terminated

POLL_SECONDS = 0.5

log = logging.getLogger("tunebench.follower")


class ReadOnly(Run):
    """The run as a follower sees it."""

    def update(self, **changes: Any) -> Manifest:
        return self.manifest


def follow(directory: Path) -> int:
    """Take part until training has ended. Returns the exit code: 0 unless something failed here."""
    run, team = ReadOnly(directory), ProcessGroup.of_environment()
    # The leader decides what a signal means; it tells at the next update.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    started = time.time()
    # What the run was before the leader began, a run that nobody had started yet or an interrupted one, says nothing.
    while (manifest := run.manifest).state not in ("running", "stopping"):
        if manifest.finished is not None and manifest.finished >= started:
            return 0
        time.sleep(POLL_SECONDS)
    course = RunContext(run, EventLog(Path(os.devnull)), Settings.from_env(runs_dir=directory.parent))
    team.meet(course.config.training.device)
    prepared, course.config = team.same((None, course.config))
    from engine.training.fit import Fit
    from engine.training.session import Session

    session = Session(
        course, prepared, task_named(course.config.task).task_model().outputs(prepared.splits.train), team
    )
    try:
        team.same(None)
        session.load()
        session.encode()
        Fit(session).run()
    except (StopRequested, Terminated):
        log.info("the leader ended the training")
    return 0
