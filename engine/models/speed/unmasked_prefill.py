"""Prefill of prompts of different lengths into one key-value cache: in parts of like length, and without a mask.

transformers pads a batch of prompts on the left, computes the padding, and masks it in attention. Padding on the right is seen by no
token of the prompt: no mask is needed, and half of the attention is never computed. The keys and values are then moved to where they
would be with padding on the left. Knows decoders and caches; does not know texts, prompt templates or what is generated.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import Cache

from engine.models.batching import by_cost
from engine.models.speed.preallocated_kv_cache import PreallocatedLayer, preallocated_cache
from engine.models.unwrap import FamilyModule

TOKENS_PER_PART = 4096  # hidden states of more tokens do not fit a CPU's caches
PART_COST = 256  # tokens that are computed in the time that one more part costs


def unmasked_prefill(
    model: FamilyModule, prompts: Sequence[Sequence[int]], pad_token_id: int, device: str, extra: int
) -> Cache:
    """The cache of `prompts`, all ending at the same place, with memory for `extra` tokens more. Raises LookupError for a model that
    `preallocated_cache` has none for.
    """
    cache = preallocated_cache(model, extra)
    if cache is None:
        raise LookupError(f"the cache of {type(model).__name__} is of another kind")
    lengths = [len(prompt) for prompt in prompts]
    for indices in by_cost(lengths, TOKENS_PER_PART, len(prompts), PART_COST):
        ids = np.full((len(indices), max(lengths[index] for index in indices)), pad_token_id, dtype=np.int64)
        for row, index in enumerate(indices):
            ids[row, : lengths[index]] = prompts[index]
        part = preallocated_cache(model, 0)
        assert part is not None  # checked above for the same model
        part.layers[-1] = _LastLayer(0)
        with contextlib.suppress(_CacheComplete):
            model.base_model(input_ids=torch.from_numpy(ids).to(device), past_key_values=part, use_cache=True)
        layers: list[Any] = cache.layers
        computed_layers: list[Any] = part.layers
        for layer, computed in zip(layers, computed_layers, strict=True):
            if computed.is_initialized:  # in some families a layer reuses the keys of another
                layer.take_over(computed.keys, computed.values, indices, lengths)
    return cache


class _CacheComplete(Exception):
    """Every layer has its keys and values: the output of the last layer is not needed."""


class _LastLayer(PreallocatedLayer):
    """Ends the forward pass as soon as it has its keys and values."""

    def update(self, *args: Any, **kwargs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        super().update(*args, **kwargs)
        raise _CacheComplete
