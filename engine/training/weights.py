"""The second half of the encode stage: which weights are trained, the caches below them, and whether the run fits this deployment.

Knows the training method and the fast paths of training. Does not know how an update is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from engine.config import RunConfig
from engine.models.adapters import apply_method, checkpoint_activations
from engine.models.device import Device
from engine.models.speed.frozen_layer_cache import FrozenLayerCache
from engine.models.speed.half_precision_weights import cast_frozen
from engine.models.unwrap import unwrap
from engine.run_directory import disk, limits
from engine.schema import GENERATIVE
from engine.training.context import RunContext
from engine.training.encode import EncodedData
from engine.training.facts import training_facts
from engine.training.forecast import Workload
from engine.training.load_model import LoadedStage
from engine.training.prepare import PreparedData


@dataclass(frozen=True, slots=True)
class TrainableModel:
    """The model to train; its parameters that require gradients are those that the method trains.

    `frozen_cache` replaces the layers below them in training. `facts` are what the manifest and the report record of the run.
    """

    model: nn.Module
    frozen_cache: FrozenLayerCache | None
    workload: Workload
    facts: dict[str, Any]


def choose_weights(context: RunContext, data: PreparedData, stage: LoadedStage, encoded: EncodedData) -> TrainableModel:
    """Apply the training method and record the facts of the run. ConfigProblem or RunFailure where the deployment has no room for it."""
    config, device, resolved = data.config, stage.device, encoded.resolved
    lora_layers = lora_layers_for(config, stage.task.spec.kind, stage.loaded.model.config, device)
    method = replace(config.method, lora_layers=lora_layers)
    model = apply_method(stage.loaded, method, resolved.freeze_embeddings, resolved.frozen_layers)
    if not config.method.four_bit:
        model.to(device.name)
    # The fast paths of training; those of a forward pass were enabled in load_model.py.
    half = device.dtype == torch.bfloat16 and "half_precision_weights" in stage.fast
    if half and stage.task.spec.kind == GENERATIVE:
        cast_frozen(model, torch.bfloat16)
    fused_lora = stage.fast.enable("fused_lora", model)
    if config.training.gradient_checkpointing:
        checkpoint_activations(model)
    frozen_cache = None
    if lora_layers or resolved.frozen_layers:
        pad_token_id = stage.loaded.tokenizer.pad_token_id
        frozen_cache = stage.fast.enable("frozen_layer_cache", unwrap(model), pad_token_id)
    workload = Workload.of(data, stage, encoded, frozen_cache.count if frozen_cache else 0)
    facts = training_facts(
        data,
        stage,
        encoded,
        workload,
        model,
        lora_layers=lora_layers,
        fused_lora_layers=fused_lora.count if fused_lora else 0,
        cached_layers=frozen_cache.count if frozen_cache else 0,
    )
    _require_room(context, config, facts)
    context.run.update(facts=facts)
    context.events.emit("facts", facts=facts)
    return TrainableModel(model, frozen_cache, workload, facts)


def lora_layers_for(config: RunConfig, kind: str, model_config: Any, device: Device) -> int | None:
    """How many of a decoder's upper layers get LoRA matrices; None for all. On a CPU half, below which no gradient is computed."""
    layers = config.method.lora_layers
    if config.method.name != "lora" or kind != GENERATIVE or model_config.is_encoder_decoder:
        return None
    if layers is None and device.name == "cpu":
        return -(-model_config.num_hidden_layers // 2)
    return layers


def _require_room(context: RunContext, config: RunConfig, facts: dict[str, Any]) -> None:
    """Whether this deployment trains models of this size, and the disk has room for what the run will write."""
    limits.check_size(facts["parameters"], context.settings)
    needed = disk.estimate(facts["parameters"], facts["trainable_parameters"], config.method.name == "lora")
    disk.require_room(context.settings, needed)
