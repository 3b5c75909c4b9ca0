"""Keys and values of what was read and written so far, in memory that has room for what is still to be written.

transformers puts every new token behind the others by copying all of them into new memory: with ten texts of 440 tokens that was more
than half of a step on a CPU. Knows caches of transformers and how models call them; does not know texts, forms or devices.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache, PretrainedConfig, PreTrainedModel
from transformers.cache_utils import DynamicLayer


class RoomyLayer(DynamicLayer):
    """A layer whose keys and values [b, heads, t, width] are the beginning of memory for `room` tokens more."""

    def __init__(self, room: int):
        super().__init__()
        self._room = room
        self._keys: torch.Tensor | None = None
        self._values: torch.Tensor | None = None
        self._placed: torch.Tensor | None = None  # what `keys` was when it was last a part of `_keys`

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Put the keys and values of new tokens behind the others; all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        known = self.get_seq_length()
        length = known + key_states.shape[-2]
        # Beams reorder, and a crop shortens, by new tensors: what was held then is not continued.
        if self._placed is None or self.keys is not self._placed or length > self._keys.shape[-2]:
            self._keys = self._moved(self.keys, key_states, known, length + self._room)
            self._values = self._moved(self.values, value_states, known, length + self._room)
        self._keys[..., known:length, :] = key_states
        self._values[..., known:length, :] = value_states
        self.keys = self._placed = self._keys[..., :length, :]
        self.values = self._values[..., :length, :]
        return self.keys, self.values

    def take_over(
        self, keys: torch.Tensor, values: torch.Tensor, indices: Sequence[int], lengths: Sequence[int]
    ) -> None:
        """Rows `indices` of a batch whose lengths are `lengths`, from a part of it that was padded on the right: here each ends at the
        same place.
        """
        longest = max(lengths)
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
            memory = (len(lengths), keys.shape[1], longest + self._room)
            # What stands before a row is looked at with weight 0, which only zeros are indifferent to for certain.
            self._keys = keys.new_zeros((*memory, keys.shape[-1]))
            self._values = values.new_zeros((*memory, values.shape[-1]))
            self.keys = self._placed = self._keys[..., :longest, :]
            self.values = self._values[..., :longest, :]
        for row, index in enumerate(indices):
            self.keys[index, :, longest - lengths[index] :] = keys[row, :, : lengths[index]]
            self.values[index, :, longest - lengths[index] :] = values[row, :, : lengths[index]]

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep the rows `indices`, with their room."""
        if self._placed is None or self.keys is not self._placed:
            return super().batch_select_indices(indices)
        length = self.get_seq_length()
        self._keys, self._values = self._keys[indices], self._values[indices]
        self.keys = self._placed = self._keys[..., :length, :]
        self.values = self._values[..., :length, :]

    def reset(self) -> None:
        self._keys = self._values = self._placed = None
        super().reset()

    @staticmethod
    def _moved(held: torch.Tensor, like: torch.Tensor, known: int, room: int) -> torch.Tensor:
        memory = like.new_empty((*like.shape[:-2], room, like.shape[-1]))
        if known:
            memory[..., :known, :] = held
        return memory


def roomy_cache(model: PreTrainedModel, room: int) -> DynamicCache | None:
    """A cache for a decoder that is to write `room` tokens; None for a model that remembers in another way.

    Sliding windows and recurrent states do not grow, and what an encoder read is never added to: those are left to transformers.
    """
    if model.config.is_encoder_decoder or "past_key_values" not in inspect.signature(model.forward).parameters:
        return None
    cache = DynamicCache(config=model.config)
    if not cache.layers or any(type(layer) is not DynamicLayer for layer in cache.layers):
        return None
    cache.layers = [RoomyLayer(room) for _ in cache.layers]
    return cache


def bytes_a_token(config: PretrainedConfig, size: int) -> int | None:
    """What a model keeps of each token, in numbers of `size` bytes: a key and a value in every layer. None for a model whose
    config names no heads: it remembers in another way.
    """
    config = config.get_text_config(decoder=True)
    asking = getattr(config, "num_attention_heads", None)
    if not asking:
        return None
    heads = getattr(config, "num_key_value_heads", None) or asking
    width = getattr(config, "head_dim", None) or config.hidden_size // asking
    return 2 * config.num_hidden_layers * heads * width * size
