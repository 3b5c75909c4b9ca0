"""The lower layers of a decoder, read once: where LoRA's matrices sit on the upper ones, nothing below them ever changes.

A sequence leaves the frozen layers with the same hidden states in every pass over the rows, so they are computed in the first and
kept. Knows decoder-only models, layers and sequences; does not know PEFT, tasks or training. What it holds is bounded; what does
not fit is computed each time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

MOST_BYTES = 2**30  # of hidden states that are held
BYTES_A_TOKEN = 8  # of an int64 in a key
TOLERANCE = 1e-5  # of a decoder's answers with and without the layers below; they are the same numbers


class LowerLayers:
    """Stands in for the first `count` layers of `model`, which computes as before with any sequence it does not know yet.

    Only calls without a key-value cache are answered from memory: learning and its losses, not writing. Sequences are padded on the
    right, where no token before the padding looks.
    """

    def __init__(self, model: PreTrainedModel, count: int, pad_token_id: int, most_bytes: int = MOST_BYTES):
        self._decoder = model.base_model
        self._layers = layers_of(model)
        self._count = count
        self._pad = pad_token_id
        self._most_bytes = most_bytes
        self.clear()
        self._given: torch.Tensor | None = None  # what stands in for the lower layers in the current call
        self._asked: list[bytes] | None = None  # the sequences of the current call whose states are to be kept
        self._tuples = False  # families whose layers answer with a tuple
        self._left_out = False
        self._handles = [
            self._decoder.register_forward_pre_hook(self._begin, with_kwargs=True),
            self._decoder.register_forward_hook(self._end, always_call=True),
            self._layers[count - 1].register_forward_hook(self._keep),
        ]
        for place, layer in enumerate(self._layers[:count]):
            layer.forward = self._standing_in(place, layer.forward)

    @property
    def count(self) -> int:
        return self._count

    def read(self, input_ids: torch.Tensor) -> None:
        """Keep the states of right-padded `input_ids` [b, t], computed without the layers above."""
        parent, name = _place_of(self._decoder, self._layers)
        setattr(parent, name, self._layers[: self._count])
        try:
            with torch.no_grad():
                self._decoder(input_ids=input_ids, use_cache=False)
        finally:
            setattr(parent, name, self._layers)

    @contextlib.contextmanager
    def left_out(self) -> Iterator[None]:
        """Within, the layers above are given the embeddings: enough where only shapes matter."""
        self._left_out = True
        try:
            yield
        finally:
            self._left_out = False

    def clear(self) -> None:
        """Forget all states."""
        self._room = self._most_bytes
        self._states: dict[bytes, torch.Tensor] = {}

    def remove(self) -> None:
        """Put the layers themselves back."""
        for handle in self._handles:
            handle.remove()
        for layer in self._layers[: self._count]:
            del layer.forward  # the class has its own
        self.clear()

    def _begin(self, decoder: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._given, self._asked = None, None
        if self._left_out:
            return
        ids = kwargs.get("input_ids", args[0] if args else None)
        if ids is None or kwargs.get("use_cache") is not False:
            return
        keys = self._keys(ids)
        if any(key not in self._states for key in keys):
            self._asked = keys
            return
        known = [self._states[key] for key in keys]
        self._given = known[0].new_zeros((*ids.shape, known[0].shape[-1]))
        for row, states in enumerate(known):
            self._given[row, : len(states)] = states

    def _standing_in(self, place: int, computed: Callable[..., Any]) -> Callable[..., Any]:
        def forward(hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            if self._given is None and not self._left_out:
                return computed(hidden_states, *args, **kwargs)
            states = self._given if place == 0 and not self._left_out else hidden_states
            return (states,) if self._tuples else states

        return forward

    def _keep(self, layer: nn.Module, args: tuple[Any, ...], said: Any) -> None:
        if self._asked is None:
            return
        self._tuples = isinstance(said, tuple)
        hidden = (said[0] if self._tuples else said).detach()
        for states, key in zip(hidden, self._asked, strict=True):
            length = len(key) // BYTES_A_TOKEN
            size = length * states.shape[-1] * states.element_size()
            if key not in self._states and size <= self._room:
                self._room -= size
                # A view would hold the whole batch, and an inference tensor could be part of no graph later.
                with torch.inference_mode(False):
                    self._states[key] = states[:length].clone()

    def _end(self, decoder: nn.Module, args: tuple[Any, ...], said: Any) -> None:
        self._given, self._asked = None, None

    def _keys(self, ids: torch.Tensor) -> list[bytes]:
        """The tokens of each sequence without what pads it. An end that is written as padding is: no target comes after it."""
        rows = ids.cpu().numpy()
        return [row[: max(1, int((row != self._pad).nonzero()[0].max(initial=-1)) + 1)].tobytes() for row in rows]


def frozen_layers(model: PreTrainedModel) -> int:
    """How many layers of a decoder-only `model`, from the first on, never change in training, nor what goes into them; 0 for other models.

    Dropout among them would give a sequence other states each time.
    """
    layers = layers_of(model)
    if model.config.is_encoder_decoder or layers is None:
        return 0
    trained = {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    changing = [any(id(parameter) in trained for parameter in layer.parameters()) for layer in layers]
    inside = {id(parameter) for layer in layers for parameter in layer.parameters()}
    if trained - inside or not any(changing):
        return 0
    first = changing.index(True)
    above = {id(module) for layer in layers[first:] for module in layer.modules()}
    below = [module for module in model.base_model.modules() if id(module) not in above]
    # Some families drop by a module, some by a function that reads a number.
    shares = [module.p for module in below if isinstance(module, nn.Dropout)]
    shares += [
        value for name, value in model.config.to_dict().items() if "dropout" in name and isinstance(value, float)
    ]
    return 0 if any(share > 0 for share in shares) else first


def stand_in(model: PreTrainedModel, pad_token_id: int) -> LowerLayers | None:
    """What remembers the frozen layers of `model`, set in place; None where there are none, or where a family carries more from
    layer to layer than hidden states, told by a trial.
    """
    count = frozen_layers(model)
    if not count:
        return None
    device = model.get_input_embeddings().weight.device
    trial = torch.arange(8, device=device)[None] % model.config.vocab_size
    trial[trial == pad_token_id] = (pad_token_id + 1) % model.config.vocab_size
    lower = LowerLayers(model, count, pad_token_id)
    with torch.no_grad():
        computed, remembered = (
            model.base_model(input_ids=trial, use_cache=False).last_hidden_state.float() for _ in range(2)
        )
    lower.clear()
    if not torch.allclose(computed, remembered, rtol=TOLERANCE, atol=TOLERANCE):
        lower.remove()
        return None
    return lower


def layers_of(model: PreTrainedModel) -> nn.ModuleList | None:
    """The layers of a decoder, one above the other; None where there is no such list."""
    count = getattr(model.config, "num_hidden_layers", None)
    lists = (module for module in model.base_model.modules() if isinstance(module, nn.ModuleList))
    return next((layers for layers in lists if len(layers) == count), None)


def _place_of(root: nn.Module, wanted: nn.Module) -> tuple[nn.Module, str]:
    """The module that holds `wanted`, and under which name."""
    name = next(name for name, module in root.named_modules() if module is wanted)
    parent, _, last = name.rpartition(".")
    return root.get_submodule(parent), last
