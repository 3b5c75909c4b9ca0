"""The output of a decoder's frozen lower layers for a batch of prompts, computed by one model and reused by another.

The pretrained model answers the same prompts as the tuned one, in the same batches, and below LoRA's layers both are the same model:
for the second of them half of the prefill is done. Knows decoder-only models, layers and key-value caches; does not know prompts,
PEFT or training. The cache is bounded; what does not fit is computed again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import Cache

from engine.models.speed.frozen_layer_cache import stacked_layers
from engine.models.unwrap import FamilyModule

MAX_BYTES = 2**30  # of cached hidden states, keys and values


@dataclass(frozen=True, slots=True)
class Prefix:
    """The output of the lower layers, [b, t, hidden], and each layer's entries in the key-value cache, [b, heads, t, width]."""

    hidden: torch.Tensor
    keys: list[torch.Tensor]
    values: list[torch.Tensor]
    tuples: bool  # for families whose layers return a tuple

    @property
    def bytes(self) -> int:
        return sum(tensor.numel() * tensor.element_size() for tensor in (self.hidden, *self.keys, *self.values))


class SharedPrefixCache:
    """Prefixes of the first `count` layers, by the tokens of a batch. Only whole prompts are shared, with an empty key-value cache
    whose layers hold all of them; every other call is computed.
    """

    def __init__(self, count: int, max_bytes: int = MAX_BYTES):
        self._count = count
        self._free_bytes = max_bytes
        self._prefixes: dict[bytes, Prefix] = {}

    @contextlib.contextmanager
    def shared_with(self, model: FamilyModule) -> Iterator[None]:
        """Within, `model` reuses what is cached and caches what it computes itself. Without lower layers it does neither."""
        if not self._count:
            yield
            return
        hooks = _Hooks(self, model, self._count)
        try:
            yield
        finally:
            hooks.remove()

    def get(self, key: bytes) -> Prefix | None:
        return self._prefixes.get(key)

    def store(self, key: bytes, prefix: Prefix) -> None:
        if prefix.bytes <= self._free_bytes:
            self._free_bytes -= prefix.bytes
            self._prefixes[key] = prefix


class _Hooks:
    """The hooks of a model while it shares."""

    def __init__(self, shared: SharedPrefixCache, model: FamilyModule, count: int):
        self._shared, self._count = shared, count
        self._layers = stacked_layers(model)
        self._key: bytes | None = None  # of the prompts in the current call, where they can be shared
        self._prefix: Prefix | None = None  # the output of the lower layers for the current call, if it is cached
        self._cache: Cache | None = None
        self._hidden: torch.Tensor | None = None
        self._tuples = False
        decoder = model.base_model
        self._hooks = [
            decoder.register_forward_pre_hook(self._begin, with_kwargs=True),
            # A prefill may end before the last layer has returned.
            decoder.register_forward_hook(self._end, always_call=True),
            self._layers[count - 1].register_forward_hook(self._keep),
        ]
        for index, layer in enumerate(self._layers[:count]):
            layer.forward = self._replacement(index, layer.forward)

    def remove(self) -> None:
        for hook in self._hooks:
            hook.remove()
        for layer in self._layers[: self._count]:
            del layer.forward  # back to the class's own

    def _begin(self, decoder: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._key = self._prefix = self._hidden = None
        self._cache = kwargs.get("past_key_values")
        ids, mask = kwargs.get("input_ids", args[0] if args else None), kwargs.get("attention_mask")
        if not isinstance(self._cache, Cache) or ids is None or self._cache.get_seq_length():
            return
        inputs = (ids,) if mask is None else (ids, mask)
        self._key = b"".join(bytes(str(tuple(t.shape)), "ascii") + t.cpu().numpy().tobytes() for t in inputs)
        self._prefix = self._shared.get(self._key)

    def _replacement(self, index: int, plain: Callable[..., Any]) -> Callable[..., Any]:
        def forward(hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            if self._prefix is None:
                return plain(hidden_states, *args, **kwargs)
            assert self._cache is not None  # it is there where a prefix was found for it
            self._cache.update(self._prefix.keys[index], self._prefix.values[index], index)
            hidden = self._prefix.hidden if index == 0 else hidden_states
            return (hidden,) if self._prefix.tuples else hidden

        return forward

    def _keep(self, layer: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if self._key is not None and self._prefix is None:
            self._hidden, self._tuples = (output[0], True) if isinstance(output, tuple) else (output, False)

    def _end(self, decoder: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if self._hidden is None or self._cache is None or self._key is None:
            return
        lower: list[Any] = self._cache.layers[: self._count]
        length = self._hidden.shape[1]
        keys, values = [layer.keys for layer in lower], [layer.values for layer in lower]
        # A sliding window holds fewer than all tokens.
        if all(tensor.shape[-2] == length for tensor in keys):
            self._shared.store(self._key, Prefix(self._hidden, keys, values, self._tuples))
