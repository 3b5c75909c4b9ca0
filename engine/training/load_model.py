"""The model stage: the pretrained model on its device, with the fast paths that serve it in training and evaluation.

Knows the model, its device and how a reader is made of it. Does not know rows or which weights will be trained.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers import set_seed

from engine.config import RunConfig
from engine.core.text import Text
from engine.inference.reader import BATCH_SIZE, Reader
from engine.inference.readers import reader_for
from engine.models.catalog import layers_for
from engine.models.catalog import resolve as resolve_model
from engine.models.device import Device, attention_for, check_can_compile, choose_device, keep_freed_memory, use_threads
from engine.models.load import LoadedModel
from engine.models.speed.fast_paths import Conditions, FastPaths
from engine.schema import Outputs
from engine.training.context import RunContext
from engine.training.prepare import PreparedData


@dataclass(frozen=True, slots=True)
class LoadedStage:
    """The pretrained model of a run and everything that follows from the machine it is on."""

    config: RunConfig
    task: Any
    outputs: Outputs  # known from the training rows; `EncodedData.outputs` has what the tokenizer decides as well
    loaded: LoadedModel
    layers: int | None  # of the pretrained model that are used; None for all
    device: Device
    threads: int
    fast: FastPaths
    attention: str | None  # implementation that the run's models are loaded with; None: transformers chooses
    first_token_only: bool  # whether a classifier's last layer computes the first token only

    def reader(self, model: nn.Module, outputs: Outputs, max_length: int) -> Reader:
        """Reads with `model` exactly as the run's predictor will. `max_length` is in tokens, 0 before it has been decided."""
        return reader_for(self.task)(
            self.task,
            outputs,
            model,
            self.loaded.tokenizer,
            self.device,
            max_length,
            self.config.evaluation.batch_size or BATCH_SIZE,
            self.fast.names,
        )

    def ready(self, model: nn.Module) -> nn.Module:
        """`model` on the device and in the number format in which it predicts."""
        return reader_for(self.task).place(model, self.device, "half_precision_weights" in self.fast)


def load_model(context: RunContext, data: PreparedData, task: Any, outputs: Outputs) -> LoadedStage:
    """Seed everything, choose the device, and load the pretrained model with a head for `outputs` (ModelProblem, AssetProblem)."""
    config = data.config
    set_seed(config.seed)
    threads = use_threads()
    if not context.settings.sliced:  # a slice trains in the page's own process, which must not be tuned for training
        keep_freed_memory()
        # Modules and rows live until the end: keeping them out of garbage collection saves 0.1 s per collection.
        gc.freeze()
    device = choose_device(config.training.device, config.training.precision)
    if config.training.compile:
        check_can_compile(device)
    fast = FastPaths.of(
        config.training.optimizations,
        Conditions(
            device,
            config.method.name,
            config.training.compile,
            config.training.gradient_checkpointing,
            config.method.four_bit,
        ),
    )
    attention = None
    if "cpu_eager_attention" in fast:
        attention = attention_for(device, long_texts=task.spec.window_tokens is not None)

    def progress(what: Text, share: float) -> None:
        context.events.progress("model", what, int(share * 100), 100)

    source = resolve_model(config.model.id, progress=progress)
    layers = config.model.layers or layers_for(config.model.id, task.spec.name)
    loaded = task.load(
        source,
        outputs,
        revision=config.model.revision,
        layers=layers,
        dropout=0.0 if config.model.dropout is None else config.model.dropout,
        attention=attention,
        **({"four_bit": True} if config.method.four_bit else {}),
    )
    # The fast paths of a forward pass; those of training are enabled in weights.py.
    fast.enable("unpadding", loaded.model)
    fast.enable("cpu_attention", loaded.model)
    fast.enable("target_logits_only", loaded.model)
    first_token_only = fast.enable("last_layer_first_token", loaded.model) is not None
    return LoadedStage(
        config=config,
        task=task,
        outputs=outputs,
        loaded=loaded,
        layers=layers,
        device=device,
        threads=threads,
        fast=fast,
        attention=attention,
        first_token_only=first_token_only,
    )
