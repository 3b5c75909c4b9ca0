"""The training of a run: from the loaded model and the encoded rows to the best weights, across interruptions and lack of memory.

Knows what comes around an update: where training goes on, how many examples fit, what the best evaluation decided. Does not know how
an update is made (trainer.py), nor what becomes of the weights (saving.py).
"""

from __future__ import annotations

import contextlib
import logging
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from engine.core.errors import is_out_of_memory
from engine.inference.forward import collate, read_below
from engine.models.adapters import fast_parameters, restore_trainable, trainable_state
from engine.models.speed import encoder_output_cache
from engine.schema import GENERATIVE
from engine.training import forecast, memory, run_notices
from engine.training.budget import Budget
from engine.training.checkpoint_files import Checkpoints
from engine.training.resume import last_checkpoint
from engine.training.stopping import DeferredSigterm, SliceOver, StopRequested, Terminated
from engine.training.trainer import FineTuner

if TYPE_CHECKING:
    from engine.training.session import Session

log = logging.getLogger("tunebench.pipeline")

AFTERWARDS = 10.0  # seconds set aside for saving, checking what was saved, baselines and intervals


class Fit:
    """One training of a session. `settled` is what the best evaluation decided."""

    def __init__(self, session: Session):
        self.session = session
        self.settled = self._decided = session.outputs
        self.budget = Budget(math.inf)
        self.checkpoints = Checkpoints(session.run.path("checkpoints"), session.course.settings.checkpoint_seconds)
        self._sigterm = DeferredSigterm(self._discarded)

    def run(self) -> None:
        """Train, and come back with the best weights. One announced retry with half the batch when memory runs out."""
        session = self.session
        session.course.begin("train")
        start = trainable_state(session.model)
        checkpoint = session.team.same(
            last_checkpoint(session.run, self.checkpoints, session.events) if session.team.leads else None
        )
        fitting = checkpoint.state()["micro_batch_size"] if checkpoint else self._fitting_batch()
        # Each process would judge by its own free memory; the batches must be the same everywhere.
        micro = begun_with = session.team.same(fitting)
        self._read_what_is_frozen()
        while True:
            self.settled = self._decided = session.outputs
            self.budget = self._budget()
            tuner = self._tuner(micro)
            try:
                session.course.begin_slice()
                with self._sigterm:
                    session.progress = tuner.fit(checkpoint)
                break
            except Terminated as ended:
                raise ended if self._sigterm.received else SliceOver from None
            except (MemoryError, RuntimeError) as error:
                # Of several processes one cannot begin anew by itself.
                alone = session.team.size == 1
                if not is_out_of_memory(error) or micro < begun_with or micro == 1 or not alone:
                    raise
                log.warning("out of memory at a batch of %d", micro, exc_info=True)
                micro = max(1, micro // 2)
                run_notices.smaller_batch(session.events, micro, session.resolved.batch_size)
            # Outside the handler, whose traceback would keep the failed batch alive.
            del tuner
            if session.device.name == "cuda":
                torch.cuda.empty_cache()
            restore_trainable(session.model, start)
            # Other batches, other updates: nothing until here belongs to what begins now.
            checkpoint = None
            self.checkpoints.clear()
        if self.budget.cut and tuner.state.global_step >= self.budget.planned:
            session.facts["epochs_fitted"] = round(session.resolved.epochs * self.budget.planned / self.budget.full, 2)
        restore_trainable(session.model, session.progress.best_state)
        encoder_output_cache.disable(session.model)
        if session.lower is not None:
            session.lower.remove()
        session.outputs = self.settled
        session.facts.update(session.outputs.to_dict())

    def _read_what_is_frozen(self) -> None:
        """Every training row through what never changes, in one order and the same batches: a resumed run has the same numbers."""
        session = self.session
        if session.facts["reads_once"]:
            session.memory = encoder_output_cache.enable(session.model)
            session.reader(session.model).run(session.train, progress=session.still_wanted)
        # Where time is short there may be fewer than one pass, and every row is read when its turn comes.
        if session.lower is not None and session.resolved.minutes is None:
            pad = session.loaded.tokenizer.pad_token_id
            read_below(session.lower, session.train.features, pad, session.device, session.still_wanted)

    def _fitting_batch(self) -> int:
        """Examples at once, measured on the longest row, and said where it is not all of a batch."""
        session = self.session
        size = session.resolved.batch_size
        longest = max(session.train.features, key=len)
        batch = collate([longest], session.loaded.tokenizer.pad_token_id)
        batch = {name: tensor.to(session.device.name) for name, tensor in batch.items()}

        def forward() -> torch.Tensor:
            with session.device.autocast():
                return session.task.loss(session.model.train(), batch)

        # Layers that never change keep nothing.
        with contextlib.nullcontext() if session.lower is None else session.lower.bypass():
            each = memory.bytes_kept(session.model, forward)
        micro = memory.fitting(size, each, session.device.name, session.task.spec.kind == GENERATIVE)
        session.facts["micro_batch_size"], session.facts["megabytes_an_example"] = micro, round(each / 2**20)
        if micro < size:
            run_notices.measured_batch(session.events, micro, size, each)
        return micro

    def _tuner(self, micro: int) -> FineTuner:
        session = self.session
        config, splits = session.config, session.prepared.splits
        weights = None
        if config.training.class_weights:
            weights = torch.tensor(
                session.task.class_weights(splits.train, session.outputs), device=session.device.name
            )

        def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            return session.task.loss(model, batch, weights, config.training.label_smoothing)

        return FineTuner(
            session.model,
            session.train.features,
            resolved=session.resolved,
            config=config.training,
            seed=config.seed,
            device=session.device,
            pad_token_id=session.loaded.tokenizer.pad_token_id,
            loss=loss,
            evaluate_now=self._evaluate_now,
            metric=session.metric,
            stop_request=self._stop_request,
            kept=self._keep,
            beside=(self._settled_state, self._restore_settled),
            events=session.events,
            checkpoints=self.checkpoints,
            max_seconds=session.course.settings.max_seconds,
            budget=self.budget,
            micro_batch_size=micro,
            team=session.team,
            by_tokens=session.task.spec.loss_per_token,
            fast=fast_parameters(session.model, session.loaded),
            fast_paths=session.fast.names,
        )

    def _budget(self) -> Budget:
        """What of the run's minutes is left for training, with what its judgement will read set aside."""
        session = self.session
        minutes, begun = session.resolved.minutes, sum(session.course.seconds.values())
        left = math.inf if minutes is None else 60 * minutes - begun - AFTERWARDS
        evaluation = forecast.evaluation(session, briefly=forecast.can_be_brief(session))
        return Budget(
            left,
            reading=evaluation / session.resolved.batch_size,
            after=forecast.judgement(session) / evaluation,
            whole=forecast.evaluation(session) / evaluation,
        )

    def _stop_request(self) -> str | None:
        session = self.session
        if self._sigterm.received:
            return "terminate"
        return session.run.requested_stop or ("terminate" if session.course.slice_over else None)

    def _evaluate_now(self) -> tuple[float, dict[str, float]]:
        """Loss and metrics on the validation rows. What they decide counts if `_keep` follows."""
        session = self.session
        examples = session.prepared.splits.validation
        # Where the time is too short for all updates, the test rows will show what it writes.
        briefly = self.budget.cut and forecast.can_be_brief(session)
        loss, metrics, self._decided = session.reader(session.model).assess(
            examples, session.validation, session.still_wanted, briefly
        )
        return loss, metrics

    def _keep(self) -> None:
        """The evaluation just made is the best so far: what it decided belongs to the weights that are kept."""
        self.settled = self._decided

    def _settled_state(self) -> dict[str, Any]:
        """What the best evaluation decided, for a checkpoint."""
        return {"settled": self.settled.to_dict()}

    def _restore_settled(self, values: dict[str, Any]) -> None:
        self.settled = self.session.task.outputs_from(values["settled"])

    def _discarded(self) -> None:
        """SIGTERM while training: at once where nothing is to be kept, else after the current update."""
        if self.session.run.requested_stop == "discard":
            raise StopRequested
