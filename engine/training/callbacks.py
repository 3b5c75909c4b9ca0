"""What happens between two updates: telling, evaluating, saving, stopping.

Knows when each is due. Does not know how an evaluation is made or an event written: the tuner does both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from engine.config import TrainingConfig
from engine.training.budget import due
from engine.training.stopping import StopRequested

if TYPE_CHECKING:
    from engine.training.trainer import FineTuner

STEP_EVENT_SECONDS = 0.5


class Watch(TrainerCallback):
    """Decides after every update whether to tell, evaluate, save or stop."""

    def __init__(self, tuner: FineTuner, config: TrainingConfig, stop_request: Callable[[], str | None]):
        self._tuner = tuner
        self._config = config
        self._stop_request = stop_request
        self._last_event = 0.0
        self._last_look = 0.0
        self._step_began = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        per_epoch = state.max_steps / max(args.num_train_epochs, 1e-9)
        self._interval = max(1, round(per_epoch / self._config.evaluations_per_epoch))
        self._tuner.budget.begin(state.max_steps, self._interval)
        state.max_steps = self._tuner.budget.planned

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._step_began = time.perf_counter()

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # Right before the schedule is asked for the next rate.
        self._tuner.budget.advance(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        now = time.monotonic()
        budget = self._tuner.budget
        budget.updated(time.perf_counter() - self._step_began)
        planned = budget.plan(state.global_step, self._tuner.seconds)
        last = state.global_step >= planned
        told = last or state.global_step == 1 or now - self._last_event >= STEP_EVENT_SECONDS
        looks = now - self._last_look >= STEP_EVENT_SECONDS / 2
        asked = self._stop_request() if looks and self._tuner.team.leads else None
        saves = self._tuner.checkpoints.due() and not last
        overdue = looks and asked is None and self._tuner.out_of_time
        # Clocks and files are read by one process, and what follows from them is done by all at the same update.
        told, asked, saves, overdue, planned = self._tuner.team.same((told, asked, saves, overdue, planned))
        # Trainer ends there, and steps are told out of as many.
        budget.planned = state.max_steps = planned
        last = state.global_step >= planned
        if told:
            self._last_event = now
            control.should_log = True
        if last or due(state.global_step, planned, self._interval):
            control.should_evaluate = True
        patience = self._config.early_stopping
        if patience and self._tuner.progress.since_best >= patience:
            self._tuner.progress.stopped_early = True
            control.should_training_stop = True
        if saves:
            control.should_save = True
        if looks:
            self._last_look = now
        if asked == "discard":
            raise StopRequested
        if budget.cut and looks and self._tuner.team.leads:
            self._tuner.tell_fitted()
        if overdue:
            self._tuner.tell_out_of_time()
            control.should_training_stop = True
        if asked in ("keep", "terminate"):
            self._tuner.terminated = asked == "terminate"
            # From here training can go on later.
            control.should_save = control.should_training_stop = True
