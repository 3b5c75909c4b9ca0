"""What the frozen lower layers of a decoder make of a batch of prompts, computed by one model and taken over by another.

The untuned model is asked what the tuned one was asked, in the same batches, and below LoRA's layers both are the same model: for the
second of them half of the reading is done. Knows decoder-only models, layers and key-value caches; does not know prompts, PEFT or
training. What it holds is bounded; what does not fit is computed again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import Cache, PreTrainedModel

from engine.models.speed.frozen_layer_cache import layers_of

MOST_BYTES = 2**30  # of hidden states, keys and values that are held


@dataclass(frozen=True, slots=True)
class Reading:
    """What left the lower layers, [b, t, hidden], and what each of them keeps in the cache, [b, heads, t, width]."""

    states: torch.Tensor
    keys: list[torch.Tensor]
    values: list[torch.Tensor]
    tuples: bool  # families whose layers answer with a tuple

    @property
    def bytes(self) -> int:
        return sum(tensor.numel() * tensor.element_size() for tensor in (self.states, *self.keys, *self.values))


class SharedReading:
    """Readings of the first `count` layers, by the tokens of a batch. Only whole prompts are shared, read into an empty cache whose
    layers hold all of them; every other call is computed.
    """

    def __init__(self, count: int, most_bytes: int = MOST_BYTES):
        self._count = count
        self._room = most_bytes
        self._readings: dict[bytes, Reading] = {}

    @contextlib.contextmanager
    def by(self, model: PreTrainedModel) -> Iterator[None]:
        """Within, `model` takes over what another has read, and leaves what it reads itself. Without lower layers it does neither."""
        if not self._count:
            yield
            return
        reader = _Reader(self, model, self._count)
        try:
            yield
        finally:
            reader.remove()

    def known(self, key: bytes) -> Reading | None:
        return self._readings.get(key)

    def keep(self, key: bytes, reading: Reading) -> None:
        if reading.bytes <= self._room:
            self._room -= reading.bytes
            self._readings[key] = reading


class _Reader:
    """The hooks of a model while it shares."""

    def __init__(self, shared: SharedReading, model: PreTrainedModel, count: int):
        self._shared, self._count = shared, count
        self._layers = layers_of(model)
        self._key: bytes | None = None  # of the prompts in the current call, where they may be shared
        self._given: Reading | None = None  # what stands in for the lower layers in the current call
        self._cache: Cache | None = None
        self._states: torch.Tensor | None = None
        self._tuples = False
        decoder = model.base_model
        self._handles = [
            decoder.register_forward_pre_hook(self._begin, with_kwargs=True),
            # A reading may end before the last layer has answered.
            decoder.register_forward_hook(self._end, always_call=True),
            self._layers[count - 1].register_forward_hook(self._left),
        ]
        for place, layer in enumerate(self._layers[:count]):
            layer.forward = self._standing_in(place, layer.forward)

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()
        for layer in self._layers[: self._count]:
            del layer.forward  # the class has its own

    def _begin(self, decoder: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._key = self._given = self._states = None
        self._cache = kwargs.get("past_key_values")
        ids, mask = kwargs.get("input_ids", args[0] if args else None), kwargs.get("attention_mask")
        if not isinstance(self._cache, Cache) or ids is None or self._cache.get_seq_length():
            return
        known = (ids,) if mask is None else (ids, mask)
        self._key = b"".join(bytes(str(tuple(t.shape)), "ascii") + t.cpu().numpy().tobytes() for t in known)
        self._given = self._shared.known(self._key)

    def _standing_in(self, place: int, computed: Callable[..., Any]) -> Callable[..., Any]:
        def forward(hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            if self._given is None:
                return computed(hidden_states, *args, **kwargs)
            self._cache.update(self._given.keys[place], self._given.values[place], place)
            states = self._given.states if place == 0 else hidden_states
            return (states,) if self._given.tuples else states

        return forward

    def _left(self, layer: nn.Module, args: tuple[Any, ...], said: Any) -> None:
        if self._key is not None and self._given is None:
            self._states, self._tuples = (said[0], True) if isinstance(said, tuple) else (said, False)

    def _end(self, decoder: nn.Module, args: tuple[Any, ...], said: Any) -> None:
        if self._states is None:
            return
        lower, length = self._cache.layers[: self._count], self._states.shape[1]
        keys, values = [layer.keys for layer in lower], [layer.values for layer in lower]
        # A window holds fewer than all tokens.
        if all(held.shape[-2] == length for held in keys):
            self._shared.keep(self._key, Reading(self._states, keys, values, self._tuples))
