"""Whose turn it is: queued workers wait until one of the places on this machine is free, first come, first served.

There is no queue process that could be lost: every waiting worker looks at the run directories itself, one at a time
under a lock. Knows order and places; does not know what a run does with its turn.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable

from engine.runs.store import Manifest, Run, Store

POLL_SECONDS = 0.5


def position(run: Run, store: Store) -> int:
    """How many runs are ahead of a queued one: those that compute, and those that waited longer. Zero when it is next."""
    mine = run.manifest
    others = [other.manifest for other in store if other.id != run.id]
    running = sum(other.state in ("running", "stopping") for other in others)
    ahead = sum(other.state == "queued" and _waits(other) and _before(other, mine) for other in others)
    return running + ahead


def wait_for_turn(
    run: Run, store: Store, places: int, begin: Callable[[], None], cancelled: Callable[[], bool]
) -> bool:
    """Wait until fewer than `places` runs are ahead, then call `begin` (which writes the state `running`).

    Returns False when `cancelled` says so first.
    """
    store.directory.mkdir(parents=True, exist_ok=True)
    while True:
        if cancelled():
            return False
        # The lock spans the look and the change of state: two workers never take the same place.
        with (store.directory / ".turn.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if position(run, store) < places:
                begin()
                return True
        time.sleep(POLL_SECONDS)


def _before(other: Manifest, mine: Manifest) -> bool:
    return (other.created, other.id) < (mine.created, mine.id)


def _waits(manifest: Manifest) -> bool:
    """A queued run counts once its worker lives; one whose worker died before its turn is ahead of nobody."""
    return manifest.process is not None
