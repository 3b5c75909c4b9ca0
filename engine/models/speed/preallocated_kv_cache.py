"""A key-value cache with memory for the tokens that are still to be generated.

transformers appends each new token by copying all earlier ones into new memory: with ten texts of 440 tokens that was more than half
of a decoding step on a CPU. Knows caches of transformers and how models call them; does not know texts, prompts or devices.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache, PretrainedConfig
from transformers.cache_utils import DynamicLayer

from engine.models.unwrap import FamilyModule


class PreallocatedLayer(DynamicLayer):
    """A layer whose keys and values [b, heads, t, width] are the beginning of memory with room for `extra` tokens more."""

    def __init__(self, extra: int):
        super().__init__()
        self._extra = extra
        # transformers types `keys` and `values` as optional: they are there once the layer is initialised.
        self.keys: Any
        self.values: Any
        self._keys: Any = None  # [b, heads, memory, d], of which `keys` is a view; None before the first update
        self._values: Any = None
        self._view: torch.Tensor | None = None  # `keys` when it was last a view of `_keys`

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the keys and values of new tokens; returns all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        cached = self.get_seq_length()
        length = cached + key_states.shape[-2]
        # Beam search reorders, and crop shortens, by new tensors: these are no views of our memory.
        if self._view is None or self.keys is not self._view or length > self._keys.shape[-2]:
            self._keys = self._allocated(self.keys, key_states, cached, length + self._extra)
            self._values = self._allocated(self.values, value_states, cached, length + self._extra)
        self._keys[..., cached:length, :] = key_states
        self._values[..., cached:length, :] = value_states
        self._set_length(length)
        return self.keys, self.values

    def take_over(
        self, keys: torch.Tensor, values: torch.Tensor, indices: Sequence[int], lengths: Sequence[int]
    ) -> None:
        """Set the rows `indices` of a batch whose rows have `lengths` tokens from a right-padded part of it; here they are padded on
        the left.
        """
        longest = max(lengths)
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
            memory = (len(lengths), keys.shape[1], longest + self._extra)
            # Padding has attention weight 0, and only zeros times 0 are certain to be 0.
            self._keys = keys.new_zeros((*memory, keys.shape[-1]))
            self._values = values.new_zeros((*memory, values.shape[-1]))
            self._set_length(longest)
        for row, index in enumerate(indices):
            self.keys[index, :, longest - lengths[index] :] = keys[row, :, : lengths[index]]
            self.values[index, :, longest - lengths[index] :] = values[row, :, : lengths[index]]

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep the rows `indices`, with their memory."""
        if self._view is None or self.keys is not self._view:
            return super().batch_select_indices(indices)
        length = self.get_seq_length()
        self._keys, self._values = self._keys[indices], self._values[indices]
        self._set_length(length)

    def reset(self) -> None:
        self._keys = self._values = self._view = None
        super().reset()

    def _set_length(self, length: int) -> None:
        self.keys = self._view = self._keys[..., :length, :]
        self.values = self._values[..., :length, :]

    @staticmethod
    def _allocated(cached: torch.Tensor, like: torch.Tensor, count: int, length: int) -> torch.Tensor:
        memory = like.new_empty((*like.shape[:-2], length, like.shape[-1]))
        if count:
            memory[..., :count, :] = cached
        return memory


def preallocated_cache(model: FamilyModule, extra: int) -> DynamicCache | None:
    """A cache for a decoder that will generate `extra` tokens; None for a model whose cache is of another kind.

    Sliding windows and recurrent states do not grow, and an encoder's keys are never appended to: those are left to transformers.
    """
    if model.config.is_encoder_decoder or "past_key_values" not in inspect.signature(model.forward).parameters:
        return None
    cache = DynamicCache(config=model.config)
    if not cache.layers or any(type(layer) is not DynamicLayer for layer in cache.layers):
        return None
    cache.layers = [PreallocatedLayer(extra) for _ in cache.layers]
    return cache


def kv_bytes_per_token(config: PretrainedConfig, element_size: int) -> int | None:
    """The size of a token's keys and values in all layers, in elements of `element_size` bytes. None for a model whose config names no
    heads: its cache is of another kind.
    """
    config = config.get_text_config(decoder=True)
    query_heads = getattr(config, "num_attention_heads", None)
    if not query_heads:
        return None
    heads = getattr(config, "num_key_value_heads", None) or query_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // query_heads
    return 2 * config.num_hidden_layers * heads * width * element_size
