"""Training that ends in a given time: how many updates fit into it, and how far the schedule has come.

However few fit, the learning rate falls to zero with the last one: of the ways to train within a budget this scored best
(Li, Yumer and Ramanan 2020, "Budgeted Training", arXiv:1905.04753). Knows seconds and updates; does not know how either is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

TRUSTED = 2  # updates that are timed before their speed decides anything; the very first is not, it also sets things up


@dataclass
class Pool:
    """How long one of something takes, on average."""

    seconds: float = 0.0
    count: float = 0

    def add(self, seconds: float, count: float = 1) -> None:
        self.seconds += seconds
        self.count += count

    @property
    def mean(self) -> float:
        return self.seconds / self.count if self.count else 0.0


class Budget:
    """`seconds` that may pass from the first update on; infinite where nobody set a limit, and then nothing changes.

    `reading` is what an evaluation costs, in updates: a guess, until the first one was timed. `after` is what reading comes after
    training, in evaluations. Where the time is not too short, an evaluation costs `whole` times as much: it computes more. `planned`
    is the number of updates after which training ends, `full` what it would be with all the time in the world, and `position` how far
    the schedule of `full` updates has come.
    """

    def __init__(self, seconds: float, reading: float = 0.0, after: float = 0.0, whole: float = 1.0):
        self.seconds = seconds
        self.full = self.planned = 0
        self.position = 0.0
        self._reading, self._after, self._whole = reading, after, whole
        self._interval = 1
        self._updates, self._evaluations = Pool(), Pool()
        self._skipped = False

    def begin(self, full: int, interval: int) -> None:
        """Before the first update of an attempt: `full` updates, an evaluation after each `interval` of them."""
        self.full, self._interval, self._skipped = full, interval, False
        self.planned = self.planned or full

    def advance(self, step: int) -> None:
        """An update was made on top of `step` others; what lies ahead of the schedule is shared by those still planned."""
        self.position += (self.full - self.position) / max(1, self.planned - step)

    def updated(self, seconds: float) -> None:
        """One more update, which took so long."""
        if self._skipped:
            self._updates.add(seconds)
        self._skipped = True

    def evaluated(self, seconds: float) -> None:
        """One more evaluation, which took so long."""
        self._evaluations.add(seconds, 1 if self.cut else self._whole)

    def plan(self, step: int, spent: float) -> int:
        """The number of updates after which training has to end, when `step` were made in `spent` seconds.

        With the last planned update it is over, whatever time is left: the rate is at zero, and Trainer has taken notice.
        """
        if math.isinf(self.seconds) or self._updates.count < TRUSTED or step >= self.planned:
            return self.planned
        update = max(self._updates.mean, 1e-9)
        evaluation = self._evaluations.mean or self._reading * update
        end = most = self.full
        # The fewer updates, the fewer evaluations: twice is enough for both to agree.
        for _ in range(2):
            looks = self.evaluations_left(step, end) * (self._whole if end == self.full else 1)
            left = self.seconds - spent - (looks + self._after) * evaluation
            # Trainer has compared this step with the number planned before: an end has to lie ahead to be noticed.
            end = min(most, step + max(1, math.floor(left / update)))
            if end < self.full and self._whole > 1 and step + 1 < self.full:
                most = self.full - 1  # all of them would fit only without what the whole evaluations ask
        return end

    def evaluations_left(self, step: int, end: int) -> int:
        """How many evaluations are due after update `step` if `end` is the last one."""
        latest = min(end - 1, end - self._interval // 2)  # as in `due`
        return 1 + max(0, latest // self._interval - step // self._interval)

    @property
    def place(self) -> float:
        """Where in the schedule the rate of the next update is read. At zero, where a warm-up begins, the first update would learn nothing:
        in a given time there may be only a few of them, so there the first one is read a step ahead, and the last one where it is.
        """
        if math.isinf(self.seconds):
            return self.position
        return self.position + 1 - self.position / max(1, self.full)

    @property
    def cut(self) -> bool:
        """Whether the time is too short for all updates."""
        return self.planned < self.full

    def state(self) -> dict[str, Any]:
        """What an attempt that goes on later has to know, as JSON."""
        return {
            "position": self.position,
            "planned": self.planned,
            "updates": [self._updates.seconds, self._updates.count],
            "evaluations": [self._evaluations.seconds, self._evaluations.count],
        }

    def restore(self, values: dict[str, Any]) -> None:
        self.position, self.planned = values["position"], values["planned"]
        self._updates, self._evaluations = Pool(*values["updates"]), Pool(*values["evaluations"])


def due(step: int, end: int, interval: int) -> bool:
    """Whether the validation rows are scored after update `step`; after the last one they always are.

    The last interval may be a step short of a whole one: two evaluations in a row would tell nothing.
    """
    return step % interval == 0 and end - step >= interval // 2
