"""Locks between processes of one machine: for the order of the queue, and so that a run has one worker.

Both are advisory file locks (filelock, which uses flock on Unix): the kernel releases them when their holder dies, however it dies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def turn_lock(directory: Path) -> Iterator[None]:
    """Held while runs are counted and one of them changes its state: start, turn, resume, delete, conclude."""
    directory.mkdir(parents=True, exist_ok=True)
    # Not a singleton: two threads of one process exclude each other too.
    with FileLock(directory / ".turn.lock", thread_local=False):
        yield


def hold(path: Path) -> FileLock | None:
    """Take a lock that lasts as long as the returned object; None when another process has it."""
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock
