"""Linear layers over few rows, as in every decoding step: one row for each text that is generated.

A linear layer computes x Wᵀ. With two rows of x and more, MKL repacks the whole weight for every product: two rows take twice the time
of one, and ten take hardly more than two. (W xᵀ)ᵀ is the same product and reads the weight once (benchmarks/writing.py). Knows linear
layers; does not know models or texts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

from engine.models.speed.handle import Handle
from engine.models.unwrap import FamilyModule

MAX_ROWS = 64  # beyond them it gains little, and from about a hundred on it loses
MULTIPLE = 8  # a multiple of eight rows is fastest, from seven rows on


def enable(model: nn.Module) -> Handle:
    """Let the linear layers of `model` compute few rows this way: in float32 on a CPU with MKL, where it is faster."""
    changed = []
    if torch.backends.mkl.is_available() and not torch.is_autocast_enabled("cpu"):
        for module in model.modules():
            # Layers that are patched already, and quantised ones, which are of another class, stay as they are.
            if type(module) is nn.Linear and "forward" not in vars(module) and _fits(module.weight):
                patched: FamilyModule = module
                patched.forward = _Forward(module)
                changed.append(module)

    def restore() -> None:
        for module in changed:
            del module.forward  # back to the class's own

    return Handle(restore, count=len(changed))


@contextlib.contextmanager
def few_rows(model: nn.Module) -> Iterator[None]:
    """Within, it is enabled."""
    handle = enable(model)
    try:
        yield
    finally:
        handle.remove()


def _fits(weight: torch.Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype == torch.float32


class _Forward:
    """The forward pass of one linear layer."""

    def __init__(self, module: nn.Linear):
        self._weight, self._bias = module.weight, module.bias

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        rows = states.numel() // states.shape[-1]
        if not 1 < rows <= MAX_ROWS:
            return nn.functional.linear(states, self._weight, self._bias)
        flat = states.reshape(rows, -1)
        if padding := -rows % MULTIPLE if rows >= MULTIPLE - 1 else 0:
            flat = nn.functional.pad(flat, (0, 0, 0, padding))
        product = torch.mm(self._weight, flat.t())[:, :rows].t()
        if self._bias is not None:
            product = product + self._bias
        return product.contiguous().view(*states.shape[:-1], -1)
