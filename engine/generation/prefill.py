"""Prompts of different lengths read into one cache: in parts of like length, and without a mask.

transformers pads a batch of prompts on the left, computes what pads them, and tells attention by a mask where it is. On the right of
a prompt no token looks at what pads it: there nobody needs a mask, and half of the attention is never computed. What was read is put
where it would stand had it been padded on the left. Knows decoders and caches; does not know texts, forms or what is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import Cache, PreTrainedModel

from engine.generation.kv_cache import RoomyLayer, roomy_cache
from engine.models.batching import by_cost

READ_AT_ONCE = 4096  # tokens; of more of them a CPU's caches no longer hold what goes from layer to layer
A_PART_MORE = 256  # tokens that are read in the time which one more part takes


def read_in_parts(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], pad_token_id: int, device: str, room: int
) -> Cache:
    """The cache of `prompts`, each ending at the same place, with room for `room` tokens more. Raises LookupError for a model that
    `roomy_cache` has none for.
    """
    cache = roomy_cache(model, room)
    if cache is None:
        raise LookupError(f"{type(model).__name__} remembers in another way")
    lengths = [len(prompt) for prompt in prompts]
    for indices in by_cost(lengths, READ_AT_ONCE, len(prompts), A_PART_MORE):
        ids = np.full((len(indices), max(lengths[index] for index in indices)), pad_token_id, dtype=np.int64)
        for row, index in enumerate(indices):
            ids[row, : lengths[index]] = prompts[index]
        part = roomy_cache(model, 0)
        part.layers[-1] = _LastLayer(0)
        with contextlib.suppress(_AllKnown):
            model.base_model(input_ids=torch.from_numpy(ids).to(device), past_key_values=part, use_cache=True)
        for layer, read in zip(cache.layers, part.layers, strict=True):
            if read.is_initialized:  # some layers look at what another one keeps
                layer.take_over(read.keys, read.values, indices, lengths)
    return cache


class _AllKnown(Exception):
    """Every layer has its keys and values: nobody asks what the last one makes of them."""


class _LastLayer(RoomyLayer):
    """Ends the reading as soon as it knows its keys and values."""

    def update(self, *args: Any, **kwargs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        super().update(*args, **kwargs)
        raise _AllKnown
