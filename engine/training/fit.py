"""The train stage: from the loaded model and the encoded rows to the best weights, across interruptions and lack of memory.

Knows what surrounds the updates: where training resumes, how many rows fit into memory, what the best evaluation decided. Does not know
how an update is made (trainer.py), nor what becomes of the weights (saving.py).
"""

from __future__ import annotations

import contextlib
import logging
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.core.errors import is_out_of_memory
from engine.inference.forward import collate, read_below
from engine.models.adapters import fast_parameters, restore_trainable, trainable_state
from engine.models.speed import encoder_output_cache
from engine.models.speed.encoder_output_cache import EncoderOutputCache
from engine.schema import GENERATIVE, Outputs
from engine.training import memory, run_notices
from engine.training.budget import Budget
from engine.training.checkpoint_files import Checkpoint, Checkpoints
from engine.training.context import RunContext
from engine.training.encode import EncodedData
from engine.training.load_model import LoadedStage
from engine.training.prepare import PreparedData
from engine.training.process_group import ProcessGroup
from engine.training.progress import Progress
from engine.training.resume import last_checkpoint
from engine.training.stopping import DeferredSigterm, SliceOver, Terminated
from engine.training.trainer import FineTuner, TrainerCallbacks, TrainingSetup
from engine.training.weights import TrainableModel

log = logging.getLogger("tunebench.fit")

RESERVED_SECONDS = 10.0  # of a limited time, for saving, checking what was saved, baselines and intervals


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The result of training. The best weights are in the model that was trained.

    `outputs` has what the best evaluation decided. `encoder_cache` is what the frozen encoder computed, where only a head was trained.
    `facts` are those of `TrainableModel` and what training added to them.
    """

    outputs: Outputs
    progress: Progress
    encoder_cache: EncoderOutputCache | None
    facts: dict[str, Any]


def fit(
    context: RunContext,
    group: ProcessGroup,
    data: PreparedData,
    stage: LoadedStage,
    encoded: EncodedData,
    trainable: TrainableModel,
) -> TrainedModel:
    """Train to the end. Raises RunFailure (diverged), StopRequested, Terminated, SliceOver."""
    return _Fit(context, group, data, stage, encoded, trainable).run()


class _Fit:
    """One training. `outputs` is what the best evaluation so far decided, `_decided` what the last one did."""

    def __init__(
        self,
        context: RunContext,
        group: ProcessGroup,
        data: PreparedData,
        stage: LoadedStage,
        encoded: EncodedData,
        trainable: TrainableModel,
    ):
        self.context, self.group = context, group
        self.data, self.stage, self.encoded, self.trainable = data, stage, encoded, trainable
        self.model, self.resolved = trainable.model, encoded.resolved
        self.outputs = self._decided = encoded.outputs
        self.budget = Budget(math.inf)
        self.checkpoints = Checkpoints(context.run.path("checkpoints"), context.settings.checkpoint_seconds)
        self._sigterm = DeferredSigterm(context.check_discarded)

    def run(self) -> TrainedModel:
        """Train; when memory runs out, start over once with half as many rows at a time, and say so."""
        context, group = self.context, self.group
        start = trainable_state(self.model)
        checkpoint = group.broadcast(
            last_checkpoint(context.run, self.checkpoints, context.events) if group.is_main else None
        )
        micro, batch_facts = self._micro_batch_size(checkpoint)
        first_micro = micro
        encoder_cache = self._fill_caches()
        while True:
            self.outputs = self._decided = self.encoded.outputs
            self.budget = self._new_budget()
            tuner = self._tuner(micro)
            try:
                context.begin_slice()
                with self._sigterm:
                    progress = tuner.fit(checkpoint)
                break
            except Terminated as ended:
                raise ended if self._sigterm.received else SliceOver from None
            except (MemoryError, RuntimeError) as error:
                # One of several processes cannot start over by itself.
                retried = micro < first_micro
                if not is_out_of_memory(error) or retried or micro == 1 or group.size > 1:
                    raise
                log.warning("out of memory at a batch of %d", micro, exc_info=True)
                micro = max(1, micro // 2)
                run_notices.smaller_batch(context.events, micro, self.resolved.batch_size)
            # Outside the handler, whose traceback would keep the failed batch alive.
            del tuner
            if self.stage.device.name == "cuda":
                torch.cuda.empty_cache()
            restore_trainable(self.model, start)
            # Other batches mean other updates: no checkpoint until here belongs to the new training.
            checkpoint = None
            self.checkpoints.clear()
        facts = {**self.trainable.facts, **batch_facts}
        if self.budget.cut and tuner.state.global_step >= self.budget.planned:
            facts["epochs_fitted"] = round(self.resolved.epochs * self.budget.planned / self.budget.full, 2)
        restore_trainable(self.model, progress.best_state)
        encoder_output_cache.disable(self.model)
        if self.trainable.frozen_cache is not None:
            self.trainable.frozen_cache.remove()
        return TrainedModel(self.outputs, progress, encoder_cache, {**facts, **self.outputs.to_dict()})

    def _fill_caches(self) -> EncoderOutputCache | None:
        """Compute every training row through the frozen layers, always in the same batches, so that a resumed run has the same numbers."""
        encoder_cache, frozen_cache = None, self.trainable.frozen_cache
        if self.trainable.facts["reads_once"]:
            encoder_cache = encoder_output_cache.enable(self.model)
            reader = self.stage.reader(self.model, self.encoded.outputs, self.resolved.max_length)
            reader.run(self.encoded.train, progress=self.context.keep_alive)
        # In a limited time there may be less than one epoch: then a row is computed when it is first drawn.
        if frozen_cache is not None and self.resolved.minutes is None:
            pad = self.stage.loaded.tokenizer.pad_token_id
            features = self.encoded.train.features
            read_below(frozen_cache, features, pad, self.stage.device, self.context.keep_alive)
        return encoder_cache

    def _micro_batch_size(self, checkpoint: Checkpoint | None) -> tuple[int, dict[str, Any]]:
        """Rows of one forward pass, the same in every process of the group, and the facts about it.

        A resumed run keeps its own; else the memory of the longest row is measured, and a batch that does not fit is announced.
        """
        if checkpoint is not None:
            return self.group.broadcast(checkpoint.state()["micro_batch_size"]), {}
        stage, size = self.stage, self.resolved.batch_size
        longest = max(self.encoded.train.features, key=len)
        batch = collate([longest], stage.loaded.tokenizer.pad_token_id)
        batch = {name: tensor.to(stage.device.name) for name, tensor in batch.items()}

        def forward() -> torch.Tensor:
            with stage.device.autocast():
                return stage.task.loss(self.model.train(), batch)

        # Frozen layers keep nothing for the backward pass.
        cache = self.trainable.frozen_cache
        with contextlib.nullcontext() if cache is None else cache.bypass():
            row_bytes = memory.bytes_kept(self.model, forward)
        micro = memory.fitting(size, row_bytes, stage.device.name, stage.task.spec.kind == GENERATIVE)
        if micro < size:
            run_notices.measured_batch(self.context.events, micro, size, row_bytes)
        facts = {"micro_batch_size": micro, "megabytes_an_example": round(row_bytes / 2**20)}
        return self.group.broadcast(micro), facts

    def _tuner(self, micro_batch_size: int) -> FineTuner:
        stage, config = self.stage, self.data.config
        setup = TrainingSetup(
            resolved=self.resolved,
            config=config.training,
            metric=config.evaluation.metric or stage.task.default_metric(self.encoded.outputs),
            seed=config.seed,
            device=stage.device,
            pad_token_id=stage.loaded.tokenizer.pad_token_id,
            micro_batch_size=micro_batch_size,
            loss_per_token=stage.task.spec.loss_per_token,
            fast_parameters=fast_parameters(self.model, stage.loaded),
            fast_paths=stage.fast.names,
        )
        callbacks = TrainerCallbacks(
            loss=self._loss(),
            evaluate=self._evaluate,
            stop_request=self._stop_request,
            on_best=self._keep_decided,
            state=self._state,
            restore=self._restore,
        )
        return FineTuner(
            self.model,
            self.encoded.train.features,
            setup,
            callbacks,
            events=self.context.events,
            checkpoints=self.checkpoints,
            budget=self.budget,
            max_seconds=self.context.settings.max_seconds,
            group=self.group,
        )

    def _loss(self) -> Any:
        task, config = self.stage.task, self.data.config.training
        weights = None
        if config.class_weights:
            class_weights = task.class_weights(self.data.splits.train, self.encoded.outputs)
            weights = torch.tensor(class_weights, device=self.stage.device.name)

        def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            return task.loss(model, batch, weights, config.label_smoothing)

        return loss

    def _new_budget(self) -> Budget:
        """The part of a limited time that is left for training, without what the report will take."""
        minutes, workload = self.resolved.minutes, self.trainable.workload
        spent = sum(self.context.seconds.values())
        left = math.inf if minutes is None else 60 * minutes - spent - RESERVED_SECONDS
        evaluation = workload.evaluation_cost(loss_only=workload.loss_suffices)
        return Budget(
            left,
            reading=evaluation / self.resolved.batch_size,
            after=workload.report_cost / evaluation,
            whole=workload.evaluation_cost() / evaluation,
        )

    def _stop_request(self) -> str | None:
        if self._sigterm.received:
            return "terminate"
        return self.context.run.requested_stop or ("terminate" if self.context.slice_over else None)

    def _evaluate(self) -> tuple[float, dict[str, float]]:
        """Loss and metrics on the validation rows. What they decide counts if `_keep_decided` follows."""
        # Where the time is too short for all updates, texts are generated for the test rows only.
        loss_only = self.budget.cut and self.trainable.workload.loss_suffices
        reader = self.stage.reader(self.model, self.encoded.outputs, self.resolved.max_length)
        loss, metrics, self._decided = reader.assess(
            self.data.splits.validation, self.encoded.validation, self.context.keep_alive, loss_only
        )
        return loss, metrics

    def _keep_decided(self) -> None:
        """The last evaluation is the best so far: what it decided belongs to the weights that are kept."""
        self.outputs = self._decided

    def _state(self) -> dict[str, Any]:
        """What a checkpoint holds beside the trainer's own state."""
        return {"settled": self.outputs.to_dict()}

    def _restore(self, values: dict[str, Any]) -> None:
        self.outputs = self.stage.task.outputs_from(values["settled"])
