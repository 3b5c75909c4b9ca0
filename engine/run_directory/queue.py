"""Whose turn it is: queued workers wait until one of the places on this machine is free, first come, first served.

There is no queue process that could be lost: every waiting worker looks at the run directories itself, one at a time
under a lock. Knows order and places; does not know what a run does with its turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.core.errors import RunProblem
from engine.core.settings import Settings
from engine.core.text import Text
from engine.run_directory.locks import turn_lock
from engine.run_directory.store import ACTIVE, Manifest, Run, Store

POLL_SECONDS = 0.5


def position(run: Run, store: Store) -> int:
    """How many runs are ahead of a queued one: those that compute, and those that waited longer. Zero when it is next."""
    mine = run.manifest
    others = [other.manifest for other in store if other.id != run.id]
    running = sum(other.state in ("running", "stopping") for other in others)
    ahead = sum(other.state == "queued" and _waits(other) and _before(other, mine) for other in others)
    return running + ahead


def computing(store: Store) -> int:
    """How many runs have the machine's cores right now."""
    return sum(run.state in ("running", "stopping") for run in store)


def admit(store: Store, settings: Settings, owner: str) -> None:
    """RunProblem when the queue is full, or when `owner` has as many runs under way as one visitor may. Call under the turn lock."""
    active = [manifest for run in store if (manifest := run.manifest).state in ACTIVE]
    if len(active) >= settings.max_queued:
        raise RunProblem(
            "queue_full",
            Text(
                f"The queue is full: {len(active)} runs are running or waiting.",
                f"队列已满：有 {len(active)} 个运行正在进行或等待。",
            ),
            Text("Try again when one of them has ended.", "请等其中一个结束后再试。"),
        )
    mine = sum(manifest.owner == owner for manifest in active)
    if settings.max_per_visitor and mine >= settings.max_per_visitor:
        raise RunProblem(
            "too_many_runs",
            Text(
                f"You have {mine} runs running or waiting, as many as one visitor may have here.",
                f"你已有 {mine} 个运行正在进行或等待，达到了此处每位访客的上限。",
            ),
            Text("Wait for one to end, or stop one.", "请等一个结束，或先停止一个。"),
        )


def wait_for_turn(
    run: Run, store: Store, places: int, begin: Callable[[], None], cancelled: Callable[[], bool]
) -> bool:
    """Wait until fewer than `places` runs are ahead, then call `begin` (which writes the state `running`).

    Returns False when `cancelled` returns True first.
    """
    while True:
        if cancelled():
            return False
        # The lock spans the look and the change of state: two workers never take the same place.
        with turn_lock(store.directory):
            if position(run, store) < places:
                begin()
                return True
        time.sleep(POLL_SECONDS)


def _before(other: Manifest, mine: Manifest) -> bool:
    return (other.queued or other.created, other.id) < (mine.queued or mine.created, mine.id)


def _waits(manifest: Manifest) -> bool:
    """A queued run counts once its worker lives; one whose worker died before its turn is ahead of nobody."""
    return manifest.process is not None
