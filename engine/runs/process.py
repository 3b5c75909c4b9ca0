"""Starting a run's worker process, and following the run's events until it ends.

The worker is the leader of a session of its own and writes its output to a file: it outlives the browser tab, the page and the server,
and cannot block on a full pipe. Knows processes; does not know what the worker does.
"""

from __future__ import annotations

import math
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from engine.core.openmp_env import OPENMP_ENV
from engine.core.settings import Settings
from engine.run_directory.store import ACTIVE, Run
from engine.runs.prewarmed_worker import COMMAND, PREWARMED_WORKER

HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH")
ROOT = Path(__file__).resolve().parents[2]


class Worker(Protocol):
    """What carries out a run, as far as its starter needs to know: `subprocess.Popen`, or `SlicedWorker`."""

    def poll(self) -> int | None:
        """The exit code: 0 completed or stopped, 2 wrong input, 1 failed. None until the work has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once there is one. subprocess.TimeoutExpired after `timeout` seconds without it."""


class SlicedWorker:
    """The worker of a run where GPUs come in slices: no process of its own, the page's server trains it (demo/zero.py).

    A queued run that no server takes up is concluded to be interrupted (engine/run_directory/store.py), and so ends here too.
    """

    def __init__(self, run: Run, poll_seconds: float = 0.2):
        self._run = run
        self._poll_seconds = poll_seconds

    def poll(self) -> int | None:
        state = self._run.state
        if state in ACTIVE:
            return None
        return 0 if state in ("completed", "stopped") else 1

    def wait(self, timeout: float | None = None) -> int:
        deadline = time.monotonic() + (math.inf if timeout is None else timeout)
        while (code := self.poll()) is None:
            if time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired(f"slices of run {self._run.id}", timeout or 0.0)
            time.sleep(self._poll_seconds)
        return code


def start_worker(run: Run, settings: Settings) -> Worker:
    """Start whatever carries out a queued run on this deployment; returns at once."""
    return SlicedWorker(run) if settings.sliced else start(run)


def start(run: Run) -> subprocess.Popen[bytes]:
    """Start a worker process for a queued run, or hand the run to the prewarmed one; returns at once."""
    environment = _environment()
    worker = PREWARMED_WORKER.take(run.directory, environment)
    if worker is not None:
        return worker
    with run.path("train.log").open("ab") as log:
        return subprocess.Popen(
            [*COMMAND, str(run.directory)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
            close_fds=True,
        )


def prewarm() -> None:
    """Keep a worker process ready for the next run, for a server that stays up."""
    PREWARMED_WORKER.prepare(_environment())


def _environment() -> dict[str, str]:
    """The environment variables of a worker process."""
    environment = {
        **os.environ,
        **OPENMP_ENV,
        # Forked tokenizer threads can deadlock; the worker tokenizes everything before any data loader starts.
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
    }
    if Settings.from_env().public:
        # On a public page visitors must not use the owner's access to the hub.
        environment = {name: value for name, value in environment.items() if name not in HUB_TOKENS}
        environment["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    return environment


def follow(run: Run, worker: Worker, show: Callable[[dict[str, Any]], None], offset: int = 0, poll: float = 0.2) -> str:
    """Pass every event from byte `offset` on to `show` until the run has ended; returns its state.

    Ctrl-C asks the run to stop and keep its best model; a second Ctrl-C raises KeyboardInterrupt.
    """
    stop_requested = False
    while True:
        try:
            ended = worker.poll() is not None
            events, offset = run.events(offset)
            for event in events:
                show(event)
            if ended:
                break
            time.sleep(poll)
        except KeyboardInterrupt:
            if stop_requested:
                raise
            stop_requested = True
            run.request("keep")
    state = run.state
    # A worker that ended before it could write its manifest leaves the state as it was.
    return "failed" if state in ACTIVE else state
