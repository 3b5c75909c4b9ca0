"""The list of fast paths, and which of them a run or a predictor uses.

A fast path computes the same mathematics as the plain way that it replaces, in another order or fewer times, so that results agree
within rounding. Where `training.optimizations` is `off` every model is computed as PyTorch, transformers and PEFT compute it by
themselves. Settings of a run (frozen layers, batch sizes) and batches of like length are no fast paths, nor is memory that a process
keeps.

Knows models, devices and what a run's settings rule out. Does not know configuration classes, tasks or training loops.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from engine.models.device import Device
from engine.models.speed import (
    cpu_attention,
    encoder_output_cache,
    few_row_linear,
    frozen_layer_cache,
    fused_lora,
    last_layer_first_token,
    target_logits_only,
    unpadding,
)
from engine.models.speed.preallocated_kv_cache import preallocated_cache
from engine.models.unwrap import FamilyModule


@dataclass(frozen=True, slots=True)
class Conditions:
    """What, beside the model, decides whether a fast path can be used."""

    device: Device
    method: str = ""  # of training; empty for a model that only predicts
    compiled: bool = False  # by torch.compile
    checkpointed: bool = False  # activations are computed again in the backward pass
    four_bit: bool = False


def _restore(model: FamilyModule, handle: Any) -> None:
    handle.remove()


@dataclass(frozen=True, slots=True)
class FastPath:
    """One fast path. `applies` says whether it can be used for a model. `enable` changes a model in place and returns a handle, or None
    where it changes nothing; `disable` takes the model and the handle. Paths without `enable` are chosen by their name where the work is
    done. `test` is the file that tests the path alone; tests/engine/models/speed/test_fast_paths.py holds each to the plain way.
    """

    name: str
    replaces: str
    applies: Callable[[FamilyModule, Conditions], bool]
    test: str
    enable: Callable[..., Any] | None = None
    disable: Callable[[FamilyModule, Any], None] = _restore


def _can_cache_frozen_layers(model: FamilyModule, conditions: Conditions) -> bool:
    ruled_out = conditions.compiled or conditions.checkpointed or conditions.four_bit
    unpadded = model.config._attn_implementation == unpadding.NAME
    return not ruled_out and not unpadded and frozen_layer_cache.frozen_layers(model) > 0


def _can_preallocate(model: FamilyModule, conditions: Conditions) -> bool:
    return preallocated_cache(model, 0) is not None


def _in_float32_on_a_cpu(model: FamilyModule, conditions: Conditions) -> bool:
    return conditions.device.name == "cpu" and conditions.device.dtype == torch.float32


_PATHS = (
    FastPath(
        "cpu_eager_attention",
        "the attention that transformers chooses by itself (sdpa)",
        lambda model, conditions: conditions.device.name == "cpu",
        "engine/models/test_device.py",
    ),
    FastPath(
        "cpu_attention",
        "eager attention of encoders and sdpa of decoders",
        lambda model, conditions: not conditions.compiled and cpu_attention.fits(model, conditions.device),
        "engine/models/speed/test_cpu_attention.py",
        cpu_attention.enable,
    ),
    FastPath(
        "unpadding",
        "encoder layers over padded batches",
        lambda model, conditions: unpadding.fits(model, conditions.device),
        "engine/models/speed/test_unpadding.py",
        unpadding.enable,
    ),
    FastPath(
        "last_layer_first_token",
        "the last layer over all tokens, in classifiers",
        # Where the head alone is trained, the pretrained model reuses the encoder's output at all tokens.
        lambda model, conditions: (
            not conditions.compiled and conditions.method != "head" and last_layer_first_token.fits(model)
        ),
        "engine/models/speed/test_last_layer_first_token.py",
        last_layer_first_token.enable,
    ),
    FastPath(
        "target_logits_only",
        "logits at all positions, and a mask for padding that no target sees",
        lambda model, conditions: target_logits_only.fits(model),
        "engine/generation/test_loss.py",
        target_logits_only.enable,
    ),
    FastPath(
        "fused_lora",
        "PEFT's two products beside the weight's own",
        lambda model, conditions: (
            conditions.method == "lora" and conditions.device.dtype == torch.float32 and not conditions.compiled
        ),
        "engine/models/speed/test_fused_lora.py",
        fused_lora.enable,
    ),
    FastPath(
        "frozen_layer_cache",
        "frozen lower layers computed in every epoch",
        _can_cache_frozen_layers,
        "engine/models/speed/test_frozen_layer_cache.py",
        frozen_layer_cache.enable,
    ),
    FastPath(
        "encoder_output_cache",
        "a frozen encoder computed in every epoch",
        lambda model, conditions: conditions.method == "head" and encoder_output_cache.fits(model),
        "engine/models/speed/test_encoder_output_cache.py",
        encoder_output_cache.enable,
        lambda model, cache: encoder_output_cache.disable(model),
    ),
    FastPath(
        "shared_prefix_cache",
        "prompts computed in full by the tuned and by the pretrained model",
        lambda model, conditions: model.can_generate() and frozen_layer_cache.frozen_layers(model) > 0,
        "engine/models/speed/test_shared_prefix_cache.py",
    ),
    FastPath(
        "half_precision_weights",
        "float32 weights that autocast converts in every forward pass",
        lambda model, conditions: conditions.device.dtype != torch.float32,
        "engine/models/speed/test_half_precision_weights.py",
    ),
    FastPath(
        "fused_optimizer",
        "AdamW as a loop over parameters",
        lambda model, conditions: conditions.device.name != "mps",
        "engine/training/test_optim.py",
    ),
    FastPath(
        "clip_in_update",
        "clip_grad_norm_, a pass over all gradients before the update",
        lambda model, conditions: conditions.device.name == "cpu",
        "engine/training/test_optim.py",
    ),
    FastPath(
        "few_row_linear",
        "linear layers in decoding steps",
        _in_float32_on_a_cpu,
        "engine/models/speed/test_few_row_linear.py",
        few_row_linear.enable,
    ),
    FastPath(
        "preallocated_kv_cache",
        "the cache of transformers, copied for every token",
        _can_preallocate,
        "engine/models/speed/test_preallocated_kv_cache.py",
    ),
    FastPath(
        "unmasked_prefill",
        "prompts padded on the left, with a mask",
        _can_preallocate,
        "engine/models/speed/test_shrinking_batch.py",
    ),
    FastPath(
        "shrinking_batch",
        "generation of all rows until the last is complete",
        _can_preallocate,
        "engine/models/speed/test_shrinking_batch.py",
    ),
)
PATHS = {path.name: path for path in _PATHS}
ALL = frozenset(PATHS)


@dataclass(frozen=True, slots=True)
class FastPaths:
    """The fast paths that may be used under given conditions: all of them, or none."""

    names: frozenset[str]
    conditions: Conditions

    @classmethod
    def of(cls, optimizations: str, conditions: Conditions) -> FastPaths:
        """Those of the setting `training.optimizations`, `auto` or `off`."""
        return cls(ALL if optimizations == "auto" else frozenset(), conditions)

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def applies(self, name: str, model: FamilyModule) -> bool:
        return name in self.names and PATHS[name].applies(model, self.conditions)

    def enable(self, name: str, model: FamilyModule, *options: Any) -> Any:
        """Enable a path where it applies. Returns its handle; None where it does not apply."""
        enable = PATHS[name].enable
        return enable(model, *options) if enable is not None and self.applies(name, model) else None

    def for_prediction(self) -> FastPaths:
        """The same for a model that is not trained any more."""
        return FastPaths(self.names, Conditions(self.conditions.device))
