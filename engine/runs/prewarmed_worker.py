"""A worker that has imported its libraries and waits for the next run, so that nobody waits for PyTorch.

A server that stays up has one ready while nothing trains; a run takes it where it is ready, and otherwise starts a worker of its own.
It ends by itself with the server. Knows one process and its pipes; does not know what the worker does.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

log = logging.getLogger("tunebench.spare")

COMMAND = [sys.executable, "-m", "engine.training.worker"]


class Spare:
    """At most one waiting worker, which may be asked for from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None
        self._environment: dict[str, str] = {}
        self._given_up = False

    def prepare(self, environment: dict[str, str]) -> None:
        """Have a worker get ready, unless one is, or is about to be, or one died waiting. Returns at once."""
        with self._lock:
            if self._given_up or (self._worker is not None and self._worker.poll() is None):
                return
            if self._worker is not None:
                # It could not import, or the system took its memory: another would fare no better.
                log.warning("the spare worker ended with code %s; runs start their own", self._worker.returncode)
                self._given_up = True
                self._forget()
                return
            self._environment = dict(environment)
            self._worker = subprocess.Popen(
                [*COMMAND, "--spare"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # A run that starts without it meets the same error and writes it into its own log.
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=environment,
            )
            os.set_blocking(self._worker.stdout.fileno(), False)

    def take(self, directory: Path, environment: dict[str, str]) -> subprocess.Popen[bytes] | None:
        """The waiting worker, told to carry out the run in `directory`; None where none is ready in this environment."""
        with self._lock:
            worker = self._worker
            if worker is None or worker.stdin is None or worker.stdout is None:
                return None
            if worker.poll() is not None or self._environment != environment:
                self._forget()
                return None
            if not worker.stdout.read(1):
                return None  # it still imports
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
        """Let the waiting worker go."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        if self._worker is None:
            return
        for pipe in (self._worker.stdin, self._worker.stdout):
            if pipe is not None:
                pipe.close()  # a worker whose page is gone ends
        self._worker = None


SPARE = Spare()  # this process's
