"""Products of few rows, as every step of writing consists of them: a row for each answer.

A linear layer computes x Wᵀ, for which MKL prepares the whole weight anew as soon as x has two rows: they take twice the time of one,
and ten take hardly more than two. (W xᵀ)ᵀ is the same number, and there the weight is read once (benchmarks/writing.py). Knows linear
layers; does not know models or texts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

MOST_ROWS = 64  # beyond them it gains little, and from about a hundred on it loses
MULTIPLE = 8  # rows come quickest in eights, from seven on


@contextlib.contextmanager
def few_rows(model: nn.Module) -> Iterator[None]:
    """Within, the linear layers of `model` compute few rows the quicker way: in float32 on a CPU with MKL, where it is one."""
    changed = []
    if torch.backends.mkl.is_available() and not torch.is_autocast_enabled("cpu"):
        for module in model.modules():
            # One that somebody else changed, and a quantised one, which is of another class, stay as they are.
            if type(module) is nn.Linear and "forward" not in vars(module) and _suits(module.weight):
                module.forward = _Thin(module)
                changed.append(module)
    try:
        yield
    finally:
        for module in changed:
            del module.forward  # the class has its own


def _suits(weight: torch.Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype == torch.float32


class _Thin:
    """The forward pass of one linear layer."""

    def __init__(self, module: nn.Linear):
        self._weight, self._bias = module.weight, module.bias

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        rows = states.numel() // states.shape[-1]
        if not 1 < rows <= MOST_ROWS:
            return nn.functional.linear(states, self._weight, self._bias)
        flat = states.reshape(rows, -1)
        if more := -rows % MULTIPLE if rows >= MULTIPLE - 1 else 0:
            flat = nn.functional.pad(flat, (0, 0, 0, more))
        product = torch.mm(self._weight, flat.t())[:, :rows].t()
        if self._bias is not None:
            product = product + self._bias
        return product.contiguous().view(*states.shape[:-1], -1)
