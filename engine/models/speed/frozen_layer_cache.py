"""The lower layers of a model, read once: where only the upper ones learn, nothing below them ever changes.

A sequence leaves the frozen layers with the same hidden states in every pass over the rows, so they are computed in the first and
kept. Knows encoders, decoders, layers and sequences; does not know PEFT, tasks or training. What it holds is bounded; what does not
fit is computed each time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from engine.models.speed.sequences import Sequence, sequences

MOST_BYTES = 2**30  # of hidden states that are held
TOLERANCE = 1e-5  # of a model's answers with and without the layers below; they are the same numbers


class LowerLayers:
    """Stands in for the first `count` layers of `model`, which computes as before with any sequence it does not know yet.

    Sequences are padded on the right. Of a decoder, where no token before the padding looks, only calls without a key-value cache are
    answered from memory: learning and its losses, not writing. An encoder is told by the attention mask what is padding.
    """

    def __init__(self, model: PreTrainedModel, count: int, pad_token_id: int, most_bytes: int = MOST_BYTES):
        self._inner = model.base_model
        self._writes = model.can_generate()
        self._layers = layers_of(model)
        self._count = count
        self._pad = pad_token_id
        self._most_bytes = most_bytes
        self.clear()
        self._given: torch.Tensor | None = None  # what stands in for the lower layers in the current call
        self._asked: list[Sequence] | None = None  # the sequences of the current call whose states are to be kept
        self._beside: int | None = (
            None  # what layers answer beside hidden states, in families where they answer with a tuple
        )
        self._left_out = False
        self._handles = [
            self._inner.register_forward_pre_hook(self._begin, with_kwargs=True),
            self._inner.register_forward_hook(self._end, always_call=True),
            self._layers[count - 1].register_forward_hook(self._keep),
        ]
        for place, layer in enumerate(self._layers[:count]):
            layer.forward = self._standing_in(place, layer.forward)

    @property
    def count(self) -> int:
        return self._count

    def read(self, batch: dict[str, torch.Tensor]) -> None:
        """Keep the states of a right-padded batch, computed without the layers above: `input_ids` [b, t] and, for an encoder,
        `attention_mask` and perhaps `token_type_ids`.
        """
        parent, name = _place_of(self._inner, self._layers)
        setattr(parent, name, self._layers[: self._count])
        try:
            with torch.no_grad():
                _ask(self._inner, batch, self._writes)
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

    def _begin(self, inner: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._given, self._asked = None, None
        if self._left_out:
            return
        ids = kwargs.get("input_ids", args[0] if args else None)
        if ids is None or (self._writes and kwargs.get("use_cache") is not False):
            return
        sequences = self._sequences(ids, kwargs)
        if any(sequence.key not in self._states for sequence in sequences):
            self._asked = sequences
            return
        known = [self._states[sequence.key] for sequence in sequences]
        self._given = known[0].new_zeros((*ids.shape, known[0].shape[-1]))
        for row, states in enumerate(known):
            self._given[row, : len(states)] = states

    def _standing_in(self, place: int, computed: Callable[..., Any]) -> Callable[..., Any]:
        def forward(hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            if self._given is None and not self._left_out:
                return computed(hidden_states, *args, **kwargs)
            states = self._given if place == 0 and not self._left_out else hidden_states
            return states if self._beside is None else (states, *[None] * self._beside)

        return forward

    def _keep(self, layer: nn.Module, args: tuple[Any, ...], said: Any) -> None:
        if self._asked is None:
            return
        self._beside = len(said) - 1 if isinstance(said, tuple) else None
        hidden = (said if self._beside is None else said[0]).detach()
        for states, sequence in zip(hidden, self._asked, strict=True):
            size = sequence.length * states.shape[-1] * states.element_size()
            if sequence.key not in self._states and size <= self._room:
                self._room -= size
                # A view would hold the whole batch, and an inference tensor could be part of no graph later.
                with torch.inference_mode(False):
                    self._states[sequence.key] = states[: sequence.length].clone()

    def _end(self, inner: nn.Module, args: tuple[Any, ...], said: Any) -> None:
        self._given, self._asked = None, None

    def _sequences(self, ids: torch.Tensor, given: dict[str, Any]) -> list[Sequence]:
        if not self._writes:
            return sequences(ids, given.get("attention_mask"), given.get("token_type_ids"))
        # The tokens without what pads them. An end that is written as padding is: no target comes after it.
        rows = ids.cpu().numpy()
        lengths = [max(1, int((row != self._pad).nonzero()[0].max(initial=-1)) + 1) for row in rows]
        return [Sequence(row[:length].tobytes(), length) for row, length in zip(rows, lengths, strict=True)]


def frozen_layers(model: PreTrainedModel) -> int:
    """How many layers of `model`, from the first on, never change in training, nor what goes into them; 0 for encoder-decoders.

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
    # Some families drop by a module, some by a function that reads a number.
    shares = [module.p for module in below if isinstance(module, nn.Dropout)]
    shares += [
        value for name, value in model.config.to_dict().items() if "dropout" in name and isinstance(value, float)
    ]
    return 0 if any(share > 0 for share in shares) else first


def freeze_below(model: PreTrainedModel, count: int) -> None:
    """Let the first `count` layers of an encoder stay as they are, and what goes into them."""
    layers = layers_of(model)
    for parameter in (*_outside_layers(model, layers), *layers[:count].parameters()):
        parameter.requires_grad_(False)


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
            _ask(model.base_model, {"input_ids": trial}, model.can_generate()).float() for _ in range(2)
        )
    lower.clear()
    if not torch.allclose(computed, remembered, rtol=TOLERANCE, atol=TOLERANCE):
        lower.remove()
        return None
    return lower


def _ask(inner: nn.Module, batch: dict[str, torch.Tensor], writes: bool) -> torch.Tensor:
    return inner(**batch, **({"use_cache": False} if writes else {})).last_hidden_state


def _outside_layers(model: PreTrainedModel, layers: nn.ModuleList) -> list[nn.Parameter]:
    """What belongs to none of the layers and may go into them: all but a head and the pooler, which lie above."""
    inside = {id(parameter) for parameter in layers.parameters()}
    return [
        parameter
        for name, parameter in model.base_model.named_parameters()
        if id(parameter) not in inside and not name.startswith("pooler.")
    ]


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
