"""What happens between two updates: logging, evaluating, saving, stopping.

Knows when each is due. Does not know how an evaluation is made or an event written: the trainer does both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from transformers import TrainerCallback

from engine.config import TrainingConfig
from engine.training.budget import Budget, due
from engine.training.checkpoint_files import Checkpoints
from engine.training.process_group import ProcessGroup
from engine.training.progress import Progress
from engine.training.stopping import StopRequested

STEP_EVENT_SECONDS = 0.5


class WatchedTrainer(Protocol):
    """What `Watch` needs of the trainer."""

    budget: Budget
    checkpoints: Checkpoints
    progress: Progress
    group: ProcessGroup
    terminated: bool

    @property
    def seconds(self) -> float: ...

    @property
    def out_of_time(self) -> bool: ...

    def notify_out_of_time(self) -> None: ...

    def notify_shortened(self) -> None: ...


class Watch(TrainerCallback):
    """Decides after every update whether to log, evaluate, save or stop."""

    def __init__(self, trainer: WatchedTrainer, config: TrainingConfig, stop_request: Callable[[], str | None]):
        self._trainer = trainer
        self._config = config
        self._stop_request = stop_request
        self._last_event = 0.0
        self._last_look = 0.0
        self._step_start = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        per_epoch = state.max_steps / max(args.num_train_epochs, 1e-9)
        self._interval = max(1, round(per_epoch / self._config.evaluations_per_epoch))
        self._trainer.budget.begin(state.max_steps, self._interval)
        state.max_steps = self._trainer.budget.planned

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._step_start = time.perf_counter()

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # Right before the scheduler computes the next learning rate.
        self._trainer.budget.advance(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        now = time.monotonic()
        trainer, budget, step = self._trainer, self._trainer.budget, state.global_step
        budget.updated(time.perf_counter() - self._step_start)
        planned = budget.plan(step, trainer.seconds)
        last = step >= planned
        log = last or step == 1 or now - self._last_event >= STEP_EVENT_SECONDS
        look = now - self._last_look >= STEP_EVENT_SECONDS / 2
        request = self._stop_request() if look and trainer.group.is_main else None
        save = trainer.checkpoints.due() and not last
        overdue = look and request is None and trainer.out_of_time
        # Only the main process reads clocks and files; what follows from them happens in all processes at the same update.
        log, request, save, overdue, planned = trainer.group.broadcast((log, request, save, overdue, planned))
        # Trainer ends at this step, and events report it as the total.
        budget.planned = state.max_steps = planned
        last = step >= planned
        if log:
            self._last_event = now
            control.should_log = True
        if last or due(step, planned, self._interval):
            control.should_evaluate = True
        patience = self._config.early_stopping
        if patience and trainer.progress.since_best >= patience:
            trainer.progress.stopped_early = True
            control.should_training_stop = True
        if save:
            control.should_save = True
        if look:
            self._last_look = now
        if request == "discard":
            raise StopRequested
        if budget.cut and look and trainer.group.is_main:
            trainer.notify_shortened()
        if overdue:
            trainer.notify_out_of_time()
            control.should_training_stop = True
        if request in ("keep", "terminate"):
            trainer.terminated = request == "terminate"
            # A checkpoint here lets training be resumed later.
            control.should_save = control.should_training_stop = True
