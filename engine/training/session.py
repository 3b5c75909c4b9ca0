"""The first phases of a run that need PyTorch, load and encode, and what training (fit.py), saving (saving.py) and the judgement
(judge.py) share with them.

Knows the order of things inside each phase and what is recorded of it. Does not know files of data, nor the report.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn
from transformers import set_seed

from engine.core.text import Text
from engine.inference.reader import BATCH_SIZE, Reader
from engine.inference.readers import reader_for
from engine.inference.saved import Description
from engine.models.adapters import apply_method, checkpoint_activations
from engine.models.catalog import layers_for
from engine.models.catalog import resolve as resolve_model
from engine.models.device import Device, attention_for, check_can_compile, choose_device, keep_freed_memory, use_threads
from engine.models.load import LoadedModel
from engine.models.speed.encoder_output_cache import EncoderOutputCache
from engine.models.speed.fast_paths import Conditions, FastPaths
from engine.models.speed.frozen_layer_cache import FrozenLayerCache, layers_of
from engine.models.speed.half_precision_weights import cast_frozen
from engine.models.unwrap import unwrap
from engine.run_directory import disk, limits
from engine.schema import GENERATIVE, Encoded, Outputs
from engine.tasks import task_named
from engine.training import run_notices
from engine.training.defaults import Resolved, as_before, common_length, resolve
from engine.training.pipeline import RunContext
from engine.training.prepare import Prepared
from engine.training.process_group import ProcessGroup
from engine.training.progress import Progress
from engine.training.saving import facts_of
from engine.training.trainer import ALONE


class Session:
    """What the phases of one run share. Each method is one phase and leaves its results as attributes."""

    loaded: LoadedModel
    resolved: Resolved
    model: nn.Module
    train: Encoded
    validation: Encoded
    progress: Progress
    description: Description
    fast: FastPaths
    memory: EncoderOutputCache | None = None  # where only a head above the encoder is trained
    lower: FrozenLayerCache | None = None  # of the layers below those that are trained
    lora_products: int = 0  # layers that compute LoRA as one product
    first_token: bool = False  # whether a classifier's last layer computes the first token alone

    def __init__(self, course: RunContext, prepared: Prepared, outputs: Outputs, team: ProcessGroup = ALONE):
        self.course = course
        self.team = team
        self.run = course.run
        self.config = course.config
        self.events = course.events
        self.prepared = prepared
        self.outputs = outputs
        self.task = task_named(course.config.task).task_model()

    def load(self) -> None:
        """The pretrained model, on the device chosen for it."""
        set_seed(self.config.seed)
        self.threads = use_threads()
        if not self.course.settings.sliced:  # a slice trains in the process of the page, which goes on
            keep_freed_memory()
            # Libraries and rows stay until the end: a tenth of a second for each look through them.
            gc.freeze()
        self.device: Device = choose_device(self.config.training.device, self.config.training.precision)
        training = self.config.training
        if training.compile:
            check_can_compile(self.device)
        conditions = Conditions(
            self.device,
            self.config.method.name,
            training.compile,
            training.gradient_checkpointing,
            self.config.method.four_bit,
        )
        self.fast = FastPaths.of(training.optimizations, conditions)
        asked = self.config.model

        def fetched(what: Text, share: float) -> None:
            self.events.progress("model", what, int(share * 100), 100)

        self.source = resolve_model(asked.id, progress=fetched)
        dropout = 0.0 if asked.dropout is None else asked.dropout
        self.layers = asked.layers or layers_for(asked.id, self.task.spec.name)
        four_bit = {"four_bit": True} if self.config.method.four_bit else {}
        self.loaded = self.task.load(
            self.source,
            self.outputs,
            revision=asked.revision,
            layers=self.layers,
            dropout=dropout,
            attention=self.attention,
            **four_bit,
        )
        self.fast.enable("unpadding", self.loaded.model)
        self.fast.enable("cpu_attention", self.loaded.model)
        self.fast.enable("target_logits_only", self.loaded.model)
        self.first_token = self.fast.enable("last_layer_first_token", self.loaded.model) is not None

    def encode(self) -> None:
        """Token sequences, the settings that depend on their length, and the weights to train."""
        self.course.begin("encode")
        splits, task, config = self.prepared.splits, self.task, self.config
        self.outputs = self.reader(self.loaded.model, 0).prepare(splits.train, config)
        reader = self.reader(self.loaded.model, 0)
        limit = reader.input_tokens(self.loaded.max_positions)
        whole = reader.encode_to_learn(splits.train, None)
        chosen = resolve(
            config,
            self.loaded.model.config,
            task.spec.hyperparameters,
            rows=len(splits.train),
            classes=len(self.outputs.labels),
            longest=common_length([len(feature) for feature in whole.features]),
            limit=limit,
            layers=len(layers_of(self.loaded.model) or ()),
        )
        self.resolved = as_before(chosen, self.run.manifest.facts)
        length = self.resolved.max_length
        fits = whole.longest <= length
        self.train = whole if fits else reader.encode_to_learn(splits.train, length, windows=task.spec.windowed)
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
            run_notices.truncation(
                self.events,
                self.task,
                self.train,
                len(splits.train),
                length,
                limit,
                config.generation.long_documents == "parts",
            )
        self._choose_weights()
        self.facts = facts_of(self)
        self._check_fits()
        self.run.update(facts=self.facts)
        self.events.emit("facts", facts=self.facts)

    def _choose_weights(self) -> None:
        """Which weights learn, and what stands in for layers below them that never change."""
        config = self.config
        self.lora_layers = self._lora_layers()
        method = replace(config.method, lora_layers=self.lora_layers)
        frozen = self.resolved.frozen_layers
        self.model = apply_method(self.loaded, method, self.resolved.freeze_embeddings, frozen)
        if not config.method.four_bit:
            self.model.to(self.device.name)
        if (
            self.task.spec.kind == GENERATIVE
            and self.device.dtype == torch.bfloat16
            and "half_precision_weights" in self.fast
        ):
            cast_frozen(self.model, torch.bfloat16)
        if fused := self.fast.enable("fused_lora", self.model):
            self.lora_products = fused.count
        if config.training.gradient_checkpointing:
            checkpoint_activations(self.model)
        if self.lora_layers or frozen:
            pad = self.loaded.tokenizer.pad_token_id
            self.lower = self.fast.enable("frozen_layer_cache", unwrap(self.model), pad)

    def _lora_layers(self) -> int | None:
        """Layers of a decoder that get LoRA's matrices: on a CPU the upper half, below which no gradient flows."""
        asked, model = self.config.method.lora_layers, self.loaded.model.config
        if self.config.method.name != "lora" or self.task.spec.kind != GENERATIVE or model.is_encoder_decoder:
            return None
        if asked is None and self.device.name == "cpu":
            return -(-model.num_hidden_layers // 2)
        return asked

    def _check_fits(self) -> None:
        """Whether this deployment trains models of this size, and the disk has room for what the run will write."""
        settings, everything = self.course.settings, self.facts["parameters"]
        limits.check_size(everything, settings)
        adapter = self.config.method.name == "lora"
        disk.require_room(settings, disk.estimate(everything, self.facts["trainable_parameters"], adapter))

    @property
    def attention(self) -> str | None:
        """The attention implementation that the run's models are loaded with; None for the choice of transformers."""
        if "cpu_eager_attention" not in self.fast:
            return None
        return attention_for(self.device, long_texts=self.task.spec.window_tokens is not None)

    @property
    def metric(self) -> str:
        """What chooses the best checkpoint."""
        return self.config.evaluation.metric or self.task.default_metric(self.outputs)

    def reader(self, model: nn.Module, max_length: int | None = None) -> Reader:
        """Reads with `model` as the run's predictor will. `max_length` is given only before it has been chosen."""
        return reader_for(self.task)(
            self.task,
            self.outputs,
            model,
            self.loaded.tokenizer,
            self.device,
            self.resolved.max_length if max_length is None else max_length,
            self.config.evaluation.batch_size or BATCH_SIZE,
            self.fast.names,
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
