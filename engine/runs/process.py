"""Starting a run's worker, and following it.

The worker is a process of its own session with its output in a file: it outlives the browser tab, the page and the server,
and no pipe can fill up and freeze it. Knows processes; does not know what the worker does.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.core.openmp_env import OPENMP_ENV
from engine.core.settings import Settings
from engine.run_directory.store import ACTIVE, Run
from engine.runs.prewarmed_worker import COMMAND, SPARE

HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH")
ROOT = Path(__file__).resolve().parents[2]


def start(run: Run) -> subprocess.Popen:
    """Launch the worker of a queued run, or wake the one that waits for it, and return at once."""
    environment = _environment()
    worker = SPARE.take(run.directory, environment)
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


def get_ready() -> None:
    """Have a worker wait for the next run, for a server that stays up."""
    SPARE.prepare(_environment())


def _environment() -> dict[str, str]:
    """What a worker sees of this process's environment."""
    environment = {
        **os.environ,
        **OPENMP_ENV,
        # Forked tokenizer threads can deadlock; the worker tokenizes in one go before any loader starts.
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
    }
    if Settings.from_env().public:
        # A public page does not lend its owner's access to the hub.
        environment = {name: value for name, value in environment.items() if name not in HUB_TOKENS}
        environment["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    return environment


def follow(
    run: Run, worker: subprocess.Popen, show: Callable[[dict[str, Any]], None], offset: int = 0, poll: float = 0.2
) -> str:
    """Hand every event from byte `offset` on to `show` until the run has ended; returns its state.

    Ctrl-C asks it to stop and keep the best.
    """
    asked = False
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
            if asked:
                raise
            asked = True
            run.request("keep")
    state = run.state
    # A worker that could not even write its manifest leaves the run queued: it is not.
    return "failed" if state in ACTIVE else state
