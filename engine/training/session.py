"""The phases of a run that need PyTorch: load, encode, fit, and what saving (saving.py) and the judgement (judge.py) share with them.

Knows the order of things inside each phase and what is recorded of it. Does not know files of data, nor the report.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from transformers import set_seed

from engine.config import WRITING
from engine.errors import is_out_of_memory
from engine.inference.forward import collate, read_below
from engine.inference.reader import BATCH_SIZE, Reader
from engine.inference.saved import Description
from engine.models.adapters import (
    apply_method,
    checkpoint_activations,
    fast_parameters,
    restore_trainable,
    trainable_state,
)
from engine.models.catalog import layers_for
from engine.models.catalog import resolve as resolve_model
from engine.models.device import Device, attention_for, check_can_compile, choose_device, keep_freed_memory, use_threads
from engine.models.generator_methods import halve_frozen
from engine.models.load import LoadedModel
from engine.models.lower_layers import LowerLayers, stand_in
from engine.models.remembering import Remembering, forget, remember
from engine.models.unpadding import can_unpad, unpad
from engine.runs import disk, limits
from engine.tasks import task_named
from engine.tasks.base import Encoded, Outputs
from engine.text import Text
from engine.training import memory, told
from engine.training.checkpoint import Checkpoints
from engine.training.comeback import last_checkpoint
from engine.training.course import Course, SliceOver, StopRequested, Terminated
from engine.training.defaults import Resolved, common_length, resolve
from engine.training.prepare import Prepared
from engine.training.progress import Progress
from engine.training.saving import facts_of
from engine.training.signals import Deferred
from engine.training.together import Team
from engine.training.trainer import ALONE, FineTuner
from engine.writing.loss import inner

log = logging.getLogger("tunebench.pipeline")


class Session:
    """What the phases of one run share. Each method is one phase and leaves its results as attributes."""

    loaded: LoadedModel
    resolved: Resolved
    model: nn.Module
    train: Encoded
    validation: Encoded
    progress: Progress
    description: Description
    memory: Remembering | None = None  # what the encoder said, where only a head above it is trained
    lower: LowerLayers | None = None  # what stands in for a decoder's layers below LoRA's

    def __init__(self, course: Course, prepared: Prepared, outputs: Outputs, team: Team = ALONE):
        self.course = course
        self.team = team
        self.run = course.run
        self.config = course.config
        self.events = course.events
        self.prepared = prepared
        self.outputs = outputs
        self.task = task_named(course.config.task)
        self._sigterm = Deferred(self._discarded)

    def _discarded(self) -> None:
        """SIGTERM while training: at once where nothing is to be kept, else after the current update."""
        if self.run.requested_stop == "discard":
            raise StopRequested

    def load(self) -> None:
        """The pretrained model, on the device chosen for it."""
        set_seed(self.config.seed)
        self.threads = use_threads()
        if not self.course.settings.sliced:  # a slice trains in the process of the page, which goes on
            keep_freed_memory()
        self.device: Device = choose_device(self.config.training.device, self.config.training.precision)
        if self.config.training.compile:
            check_can_compile(self.device)
        asked = self.config.model

        def fetched(what: Text, share: float) -> None:
            self.events.progress("model", what, int(share * 100), 100)

        self.source = resolve_model(asked.id, progress=fetched)
        dropout = 0.0 if asked.dropout is None else asked.dropout
        self.layers = asked.layers or layers_for(asked.id, self.task.name)
        four_bit = {"four_bit": True} if self.config.method.four_bit else {}
        self.loaded = self.task.load(
            self.source,
            self.outputs,
            replace(asked, layers=self.layers),
            dropout=dropout,
            attention=attention_for(self.device),
            **four_bit,
        )
        if can_unpad(self.loaded.model, self.device):
            unpad(self.loaded.model)

    def encode(self) -> None:
        """Token sequences, the settings that depend on their length, and the weights to train."""
        self.course.begin("encode")
        splits, task, config = self.prepared.splits, self.task, self.config
        self.outputs = self.reader(self.loaded.model, 0).prepare(splits.train, config)
        reader = self.reader(self.loaded.model, 0)
        limit = reader.readable(self.loaded.max_positions)
        whole = reader.encode_to_learn(splits.train, None)
        self.resolved = resolve(
            config,
            self.loaded.model.config,
            task.pace,
            rows=len(splits.train),
            classes=len(self.outputs.labels),
            longest=common_length([len(feature) for feature in whole.features]),
            limit=limit,
        )
        length = self.resolved.max_length
        fits = whole.longest <= length
        self.train = whole if fits else reader.encode_to_learn(splits.train, length, windows=task.windowed)
        self.validation = self.reader(self.loaded.model).encode(splits.validation)
        for notice in task.attach_targets(self.train, splits.train, self.outputs):
            self.events.notice(notice.code, notice.message, notice.severity, count=notice.count)
            self.prepared.notices.append(
                {
                    "code": notice.code,
                    "severity": notice.severity,
                    "message": notice.message.to_dict(),
                    "count": notice.count,
                }
            )
        if self.train.truncated:
            told.truncation(
                self.events,
                self.task,
                self.train,
                len(splits.train),
                length,
                limit,
                config.generation.long_documents == "parts",
            )
        self.lora_layers = self._lora_layers()
        method = replace(config.method, lora_layers=self.lora_layers)
        self.model = apply_method(self.loaded, method, self.resolved.freeze_embeddings)
        if not config.method.four_bit:
            self.model.to(self.device.name)
        if task.name in WRITING and self.device.dtype == torch.bfloat16:
            halve_frozen(self.model, torch.bfloat16)
        if config.training.gradient_checkpointing:
            checkpoint_activations(self.model)
        elif self.lora_layers and not config.training.compile and not config.method.four_bit:
            self.lower = stand_in(inner(self.model), self.loaded.tokenizer.pad_token_id)
        self.facts = facts_of(self)
        self._check_fits()
        self.run.update(facts=self.facts)
        self.events.emit("facts", facts=self.facts)

    def _lora_layers(self) -> int | None:
        """Layers of a decoder that get LoRA's matrices: on a CPU the upper half, below which no gradient flows."""
        asked, model = self.config.method.lora_layers, self.loaded.model.config
        if self.config.method.name != "lora" or self.task.name not in WRITING or model.is_encoder_decoder:
            return None
        if asked is None and self.device.name == "cpu":
            return -(-model.num_hidden_layers // 2)
        return asked

    def fit(self) -> None:
        """Train, and come back with the best weights. One announced retry with half the batch when memory runs out."""
        self.course.begin("train")
        start = trainable_state(self.model)
        self.checkpoints = Checkpoints(self.run.path("checkpoints"), self.course.settings.checkpoint_seconds)
        checkpoint = self.team.same(
            last_checkpoint(self.run, self.checkpoints, self.events) if self.team.leads else None
        )
        fitting = checkpoint.state()["micro_batch_size"] if checkpoint else self._fitting_batch()
        # Each process would judge by its own free memory; the batches must be the same everywhere.
        micro = begun_with = self.team.same(fitting)
        if self.facts["reads_once"]:
            self.memory = remember(self.model)
            # In one order and always the same batches, so that a resumed run has the same numbers.
            self.reader(self.model).run(self.train, progress=self.still_wanted)
        if self.lower is not None:
            pad = self.loaded.tokenizer.pad_token_id
            read_below(self.lower, self.train.features, pad, self.device, self.still_wanted)
        while True:
            self.best, self.settled = -1.0, self.outputs
            tuner = self._tuner(micro)
            try:
                self.course.begin_slice()
                with self._sigterm:
                    self.progress = tuner.fit(checkpoint)
                break
            except Terminated as ended:
                raise ended if self._sigterm.came else SliceOver from None
            except (MemoryError, RuntimeError) as error:
                # Of several processes one cannot begin anew by itself.
                alone = self.team.size == 1
                if not is_out_of_memory(error) or micro < begun_with or micro == 1 or not alone:
                    raise
                log.warning("out of memory at a batch of %d", micro, exc_info=True)
                micro = max(1, micro // 2)
                told.smaller_batch(self.events, micro, self.resolved.batch_size)
            # Outside the handler, whose traceback would keep the failed batch alive.
            del tuner
            if self.device.name == "cuda":
                torch.cuda.empty_cache()
            restore_trainable(self.model, start)
            # Other batches, other updates: nothing until here belongs to what begins now.
            checkpoint = None
            self.checkpoints.clear()
        restore_trainable(self.model, self.progress.best_state)
        forget(self.model)
        if self.lower is not None:
            self.lower.remove()
        self.outputs = self.settled
        self.facts.update(self.outputs.to_dict())

    def _fitting_batch(self) -> int:
        """Examples at once, measured on the longest row, and said where it is not all of a batch."""
        size = self.resolved.batch_size
        longest = max(self.train.features, key=len)
        batch = collate([longest], self.loaded.tokenizer.pad_token_id)
        batch = {name: tensor.to(self.device.name) for name, tensor in batch.items()}

        def forward() -> torch.Tensor:
            with self.device.autocast():
                return self.task.loss(self.model.train(), batch)

        each = memory.bytes_kept(self.model, forward)
        micro = memory.fitting(size, each, self.device.name, self.task.name in WRITING)
        self.facts["micro_batch_size"], self.facts["megabytes_an_example"] = micro, round(each / 2**20)
        if micro < size:
            told.measured_batch(self.events, micro, size, each)
        return micro

    def _check_fits(self) -> None:
        """Whether this deployment trains models of this size, and the disk has room for what the run will write."""
        settings, everything = self.course.settings, self.facts["parameters"]
        limits.check_size(everything, settings)
        adapter = self.config.method.name == "lora"
        disk.require_room(settings, disk.estimate(everything, self.facts["trainable_parameters"], adapter))

    @property
    def metric(self) -> str:
        """What chooses the best checkpoint."""
        return self.config.evaluation.metric or self.task.default_metric(self.outputs)

    def _tuner(self, micro: int) -> FineTuner:
        config, splits = self.config, self.prepared.splits
        weights = None
        if config.training.class_weights:
            weights = torch.tensor(self.task.class_weights(splits.train, self.outputs), device=self.device.name)

        def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            return self.task.loss(model, batch, weights, config.training.label_smoothing)

        return FineTuner(
            self.model,
            self.train.features,
            resolved=self.resolved,
            config=config.training,
            seed=config.seed,
            device=self.device,
            pad_token_id=self.loaded.tokenizer.pad_token_id,
            loss=loss,
            evaluate_now=self._evaluate_now,
            metric=self.metric,
            stop_request=self._stop_request,
            beside=(self._settled_state, self._restore_settled),
            events=self.events,
            checkpoints=self.checkpoints,
            max_seconds=self.course.settings.max_seconds,
            micro_batch_size=micro,
            team=self.team,
            by_tokens=self.task.name == "ner" or self.task.name in WRITING,
            fast=fast_parameters(self.model, self.loaded),
        )

    def _stop_request(self) -> str | None:
        if self._sigterm.came:
            return "terminate"
        return self.run.requested_stop or ("terminate" if self.course.slice_over else None)

    def _evaluate_now(self) -> tuple[float, dict[str, float]]:
        """Loss and metrics on the validation rows. What they decide at the best evaluation is kept with its weights."""
        examples = self.prepared.splits.validation
        loss, metrics, outputs = self.reader(self.model).assess(examples, self.validation, self.still_wanted)
        if metrics[self.metric] > self.best:
            self.best, self.settled = metrics[self.metric], outputs
        return loss, metrics

    def _settled_state(self) -> dict[str, Any]:
        """What the best evaluation decided, for a checkpoint."""
        return {"best": self.best, "settled": self.settled.to_dict()}

    def _restore_settled(self, values: dict[str, Any]) -> None:
        self.best, self.settled = values["best"], self.task.outputs_from(values["settled"])

    def reader(self, model: nn.Module, max_length: int | None = None) -> Reader:
        """Reads with `model` as the run's predictor will. `max_length` is given only before it has been chosen."""
        return self.task.reader(
            self.task,
            self.outputs,
            model,
            self.loaded.tokenizer,
            self.device,
            self.resolved.max_length if max_length is None else max_length,
            self.config.evaluation.batch_size or BATCH_SIZE,
        )

    def still_wanted(self, done: int, total: int) -> None:
        """Progress of an evaluation: raises StopRequested once the owner wants no result."""
        self.events.sign_of_life()
        self.course.check_discarded()

    def answering(self, what: Text) -> Callable[[int, int], None]:
        """Progress of a long answering, told as well."""

        def progress(done: int, total: int) -> None:
            self.course.check_discarded()
            self.events.progress("evaluate", what, done, total)

        return progress
