"""Gradient clipping within the update: the fused optimizer divides gradients by their norm while it reads them.

`clip_grad_norm_` of PyTorch multiplies all gradients in a pass of its own before the update. Knows PyTorch's optimizers; does not know
training loops.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

CLIP_EPSILON = 1e-6  # as in torch.nn.utils.clip_grad_norm_


def fits(optimizer: torch.optim.Optimizer, device: torch.device, processes: int) -> bool:
    """Whether `optimizer` is a fused one on a CPU whose gradients are this process's own."""
    return device.type == "cpu" and bool(optimizer.defaults.get("fused")) and processes == 1


def clip(optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter], max_norm: float) -> torch.Tensor:
    """The norm of all gradients. Where it exceeds `max_norm` the next update scales them down."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    excess = (norm + CLIP_EPSILON) / max_norm
    # The attribute by which torch.amp.GradScaler tells a fused optimizer that gradients are scaled.
    setattr(optimizer, "grad_scale", excess if excess > 1 else None)  # noqa: B010
    return norm
