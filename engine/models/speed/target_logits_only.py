"""Logits of a generative model at chosen positions only: the output layer gets the hidden states of target tokens alone.

With a vocabulary of tens of thousands the output layer is otherwise the most expensive part of a training step. `logits_to_keep` of
transformers takes the same positions of every row; targets begin and end elsewhere in each. Knows output layers; does not know losses
or tasks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from engine.models.speed.handle import Handle
from engine.models.unwrap import FamilyModule

_ATTRIBUTE = "_selected_positions"  # of an output layer


class _Selection:
    """The hook of an output layer."""

    def __init__(self) -> None:
        self.positions: torch.Tensor | None = None  # [b, t], true where logits are computed

    def __call__(self, layer: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return args if self.positions is None else (args[0][self.positions], *args[1:])


def fits(model: FamilyModule) -> bool:
    return model.can_generate() and model.get_output_embeddings() is not None


def enable(model: FamilyModule) -> Handle:
    """Let the output layer of `model` compute only the positions that `only_at` gives, and all of them outside of it."""
    layer, selection = model.get_output_embeddings(), _Selection()
    hook = layer.register_forward_pre_hook(selection)
    setattr(layer, _ATTRIBUTE, selection)
    return Handle(lambda: delattr(layer, _ATTRIBUTE), hook.remove)


@contextlib.contextmanager
def only_at(model: FamilyModule, positions: torch.Tensor) -> Iterator[bool]:
    """Within, logits are those at `positions` [b, t] alone, [n, vocabulary], if this is enabled on `model`. Yields whether it is."""
    selection = getattr(model.get_output_embeddings(), _ATTRIBUTE, None)
    if selection is None:
        yield False
        return
    selection.positions = positions
    try:
        yield True
    finally:
        selection.positions = None
