"""Locks between processes of one machine: whose turn it is, and that a run has one worker.

Both are advisory `flock`s on files: the kernel lets go of them when their holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def turn_lock(directory: Path) -> Iterator[None]:
    """Held while runs are counted and one of them changes its state: start, turn, resume, delete, conclude."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".turn.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def hold(path: Path) -> IO[str] | None:
    """Take a lock for as long as the returned file stays open; None when another process has it."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
