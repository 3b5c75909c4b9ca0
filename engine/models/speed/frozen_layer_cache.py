"""The outputs of frozen lower layers, computed once a token sequence: where only the upper layers are trained, nothing below changes.

A sequence leaves the frozen layers with the same hidden states in every epoch, so they are computed in the first and cached. Knows
encoders, decoders, layers and sequences; does not know PEFT, tasks or training. The cache is bounded; what does not fit is computed
each time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from engine.models.speed.sequences import Sequence, sequences
from engine.models.unwrap import FamilyModule

MAX_BYTES = 2**30  # of cached hidden states
TOLERANCE = 1e-5  # of hidden states with and without the frozen layers; they are the same numbers


class FrozenLayerCache:
    """Replaces the first `count` layers of `model` for sequences it has seen; others are computed as before.

    Sequences are padded on the right. For a decoder, in which no token sees the padding after it, only calls without a key-value cache
    are answered from here: training and losses, not generation. For an encoder the attention mask says what is padding.
    """

    def __init__(self, model: FamilyModule, count: int, pad_token_id: int, max_bytes: int = MAX_BYTES):
        self._inner = model.base_model
        self._decoder = model.can_generate()
        self._layers = stacked_layers(model)
        self._count = count
        self._pad = pad_token_id
        self._max_bytes = max_bytes
        self.clear()
        self._cached: torch.Tensor | None = None  # output of the frozen layers for the current call, if it is cached
        self._to_store: list[Sequence] | None = None  # sequences of the current call whose states are to be cached
        # Outputs of a layer beside hidden states, in families whose layers return a tuple.
        self._more_outputs: int | None = None
        self._bypassed = False
        self._hooks = [
            self._inner.register_forward_pre_hook(self._begin, with_kwargs=True),
            self._inner.register_forward_hook(self._end, always_call=True),
            self._layers[count - 1].register_forward_hook(self._store),
        ]
        for index, layer in enumerate(self._layers[:count]):
            layer.forward = self._replacement(index, layer.forward)

    @property
    def count(self) -> int:
        return self._count

    def fill(self, batch: dict[str, torch.Tensor]) -> None:
        """Cache the states of a right-padded batch without computing the layers above: `input_ids` [b, t] and, for an encoder,
        `attention_mask` and perhaps `token_type_ids`.
        """
        parent, name = _parent_of(self._inner, self._layers)
        setattr(parent, name, self._layers[: self._count])
        try:
            with torch.no_grad():
                _last_hidden(self._inner, batch, self._decoder)
        finally:
            setattr(parent, name, self._layers)

    @contextlib.contextmanager
    def bypass(self) -> Iterator[None]:
        """Within, the layers above get the embeddings: enough where only shapes matter."""
        self._bypassed = True
        try:
            yield
        finally:
            self._bypassed = False

    def clear(self) -> None:
        """Empty the cache."""
        self._free_bytes = self._max_bytes
        self._states: dict[bytes, torch.Tensor] = {}

    def remove(self) -> None:
        """Restore the layers."""
        for hook in self._hooks:
            hook.remove()
        for layer in self._layers[: self._count]:
            del layer.forward  # back to the class's own
        self.clear()

    def _begin(self, inner: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._cached, self._to_store = None, None
        if self._bypassed:
            return
        ids = kwargs.get("input_ids", args[0] if args else None)
        if ids is None or (self._decoder and kwargs.get("use_cache") is not False):
            return
        rows = self._sequences(ids, kwargs)
        if any(row.key not in self._states for row in rows):
            self._to_store = rows
            return
        states = [self._states[row.key] for row in rows]
        self._cached = states[0].new_zeros((*ids.shape, states[0].shape[-1]))
        for index, hidden in enumerate(states):
            self._cached[index, : len(hidden)] = hidden

    def _replacement(self, index: int, plain: Callable[..., Any]) -> Callable[..., Any]:
        def forward(hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            if self._cached is None and not self._bypassed:
                return plain(hidden_states, *args, **kwargs)
            hidden = self._cached if index == 0 and not self._bypassed else hidden_states
            return hidden if self._more_outputs is None else (hidden, *[None] * self._more_outputs)

        return forward

    def _store(self, layer: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if self._to_store is None:
            return
        self._more_outputs = len(output) - 1 if isinstance(output, tuple) else None
        hidden = (output if self._more_outputs is None else output[0]).detach()
        for states, sequence in zip(hidden, self._to_store, strict=True):
            size = sequence.length * states.shape[-1] * states.element_size()
            if sequence.key not in self._states and size <= self._free_bytes:
                self._free_bytes -= size
                # A view would keep the whole batch alive, and an inference tensor cannot take part in training later.
                with torch.inference_mode(False):
                    self._states[sequence.key] = states[: sequence.length].clone()

    def _end(self, inner: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self._cached, self._to_store = None, None

    def _sequences(self, ids: torch.Tensor, kwargs: dict[str, Any]) -> list[Sequence]:
        if not self._decoder:
            return sequences(ids, kwargs.get("attention_mask"), kwargs.get("token_type_ids"))
        # The tokens without trailing padding. Where the end token is also the padding it is stripped too: no target comes after it.
        rows = ids.cpu().numpy()
        lengths = [max(1, int((row != self._pad).nonzero()[0].max(initial=-1)) + 1) for row in rows]
        return [Sequence(row[:length].tobytes(), length) for row, length in zip(rows, lengths, strict=True)]


def frozen_layers(model: FamilyModule) -> int:
    """How many layers of `model`, from the first on, training does not change, nor their input; 0 for encoder-decoders.

    Dropout among them would give a sequence other states each time.
    """
    layers = layers_of(model)
    if model.config.is_encoder_decoder or layers is None:
        return 0
    trained = {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    changing = [any(id(parameter) in trained for parameter in layer.parameters()) for layer in layers]
    if not any(changing):
        return 0
    first = changing.index(True)
    if any(parameter.requires_grad for parameter in _outside_layers(model, layers)):
        return 0
    above = {id(module) for layer in layers[first:] for module in layer.modules()}
    below = [module for module in model.base_model.modules() if id(module) not in above]
    # Dropout is a module in some families, and a function that reads the configuration in others.
    rates = [module.p for module in below if isinstance(module, nn.Dropout)]
    rates += [value for name, value in model.config.to_dict().items() if "dropout" in name and isinstance(value, float)]
    return 0 if any(rate > 0 for rate in rates) else first


def freeze_below(model: FamilyModule, count: int) -> None:
    """Freeze the first `count` layers of an encoder, and the embeddings that go into them."""
    layers = stacked_layers(model)
    for parameter in (*_outside_layers(model, layers), *layers[:count].parameters()):
        parameter.requires_grad_(False)


def enable(model: FamilyModule, pad_token_id: int) -> FrozenLayerCache | None:
    """Cache the frozen layers of `model`, in place. None where there are none, or where a trial shows that the family passes more than
    hidden states from layer to layer.
    """
    count = frozen_layers(model)
    if not count:
        return None
    device = model.get_input_embeddings().weight.device
    trial = torch.arange(8, device=device)[None] % model.config.vocab_size
    trial[trial == pad_token_id] = (pad_token_id + 1) % model.config.vocab_size
    cache = FrozenLayerCache(model, count, pad_token_id)
    with torch.no_grad():
        computed, cached = (
            _last_hidden(model.base_model, {"input_ids": trial}, model.can_generate()).float() for _ in range(2)
        )
    cache.clear()
    if not torch.allclose(computed, cached, rtol=TOLERANCE, atol=TOLERANCE):
        cache.remove()
        return None
    return cache


def layers_of(model: FamilyModule) -> nn.ModuleList | None:
    """The stacked layers of an encoder or decoder; None where there is no such list."""
    count = getattr(model.config, "num_hidden_layers", None)
    lists = (module for module in model.base_model.modules() if isinstance(module, nn.ModuleList))
    return next((layers for layers in lists if len(layers) == count), None)


def stacked_layers(model: FamilyModule) -> nn.ModuleList:
    """The stacked layers of a model that has them. LookupError for one that has not."""
    layers = layers_of(model)
    if layers is None:
        raise LookupError(f"{type(model).__name__} has no list of its layers")
    return layers


def _last_hidden(inner: nn.Module, batch: dict[str, torch.Tensor], decoder: bool) -> torch.Tensor:
    return inner(**batch, **({"use_cache": False} if decoder else {})).last_hidden_state


def _outside_layers(model: FamilyModule, layers: nn.ModuleList) -> list[nn.Parameter]:
    """Parameters of no layer that lie below the layers: all but those of the head and the pooler."""
    inside = {id(parameter) for parameter in layers.parameters()}
    return [
        parameter
        for name, parameter in model.base_model.named_parameters()
        if id(parameter) not in inside and not name.startswith("pooler.")
    ]


def _parent_of(root: nn.Module, module: nn.Module) -> tuple[nn.Module, str]:
    """The module that holds `module`, and its name there."""
    name = next(name for name, other in root.named_modules() if other is module)
    parent, _, last = name.rpartition(".")
    return root.get_submodule(parent), last
