"""A worker process that has imported its libraries and waits for the next run, which then starts without importing PyTorch.

A server that stays up keeps one ready while nothing trains. A run takes it if it is ready, and otherwise starts a process of its own.
It exits with the server. Knows one process and its pipes; does not know what the worker does.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

log = logging.getLogger("tunebench.prewarmed")

COMMAND = [sys.executable, "-m", "engine.training.worker"]


class PrewarmedWorker:
    """At most one waiting worker process. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None
        self._environment: dict[str, str] = {}
        self._given_up = False

    def prepare(self, environment: dict[str, str]) -> None:
        """Start a worker process that waits, unless one is waiting or starting, or one died while it waited. Returns at once."""
        with self._lock:
            if self._given_up or (self._worker is not None and self._worker.poll() is None):
                return
            if self._worker is not None:
                # An import failed or the system ran out of memory: another one would end the same way.
                log.warning("the prewarmed worker ended with code %s; runs start their own", self._worker.returncode)
                self._given_up = True
                self._forget()
                return
            self._environment = dict(environment)
            self._worker = subprocess.Popen(
                [*COMMAND, "--spare"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # A run that starts its own process meets the same error and has it in its log.
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=environment,
            )
            assert self._worker.stdout is not None  # it was opened as a pipe
            os.set_blocking(self._worker.stdout.fileno(), False)

    def take(self, directory: Path, environment: dict[str, str]) -> subprocess.Popen[bytes] | None:
        """The waiting process, after the run in `directory` was assigned to it; None if none is ready with this `environment`."""
        with self._lock:
            worker = self._worker
            if worker is None or worker.stdin is None or worker.stdout is None:
                return None
            if worker.poll() is not None or self._environment != environment:
                self._forget()
                return None
            if not worker.stdout.read(1):
                return None  # still importing
            self._worker = None
            try:
                worker.stdin.write(os.fsencode(directory) + b"\n")
                worker.stdin.close()
            except BrokenPipeError:
                return None
            finally:
                worker.stdout.close()
            return worker

    def dismiss(self) -> None:
        """End the waiting process."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        if self._worker is None:
            return
        for pipe in (self._worker.stdin, self._worker.stdout):
            if pipe is not None:
                pipe.close()  # the worker exits at the end of its input
        self._worker = None


PREWARMED_WORKER = PrewarmedWorker()  # of this process
