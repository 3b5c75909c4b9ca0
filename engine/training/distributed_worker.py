"""A worker process that trains beside the main one of its group and writes nothing (process_group.py).

Knows when to begin and when to end. Everything that a run writes and decides comes from the main process.
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
from engine.tasks.model import task_model
from engine.training.context import RunContext
from engine.training.events import EventLog
from engine.training.pipeline import train_stages
from engine.training.prepare import PreparedData
from engine.training.process_group import ProcessGroup
from engine.training.stopping import StopRequested, Terminated

POLL_SECONDS = 0.5

log = logging.getLogger("tunebench.distributed")


class ReadOnlyRun(Run):
    """The run as a worker sees it that must not write."""

    def update(self, **changes: Any) -> Manifest:
        return self.manifest


def run_distributed_worker(directory: Path) -> int:
    """Take part until training has ended. Returns the exit code: 0 unless something failed in this process."""
    run, group = ReadOnlyRun(directory), ProcessGroup.from_environment()
    # The main process decides what a signal means, and broadcasts it at the next update.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    started = time.time()
    # Until the main process has started, the state is that of the time before: not started yet, or interrupted.
    while (manifest := run.manifest).state not in ("running", "stopping"):
        if manifest.finished is not None and manifest.finished >= started:
            return 0
        time.sleep(POLL_SECONDS)
    context = RunContext(run, EventLog(Path(os.devnull)), Settings.from_env(runs_dir=directory.parent))
    group.init(context.config.training.device)
    data: PreparedData = group.broadcast(None)
    task = task_model(task_named(data.config.task))
    try:
        train_stages(context, group, data, task, task.outputs(data.splits.train))
    except (StopRequested, Terminated):
        log.info("the main process ended the training")
    return 0
