"""The size of the steps of an update: which parameters take larger ones, and how the learning rate rises and falls.

Knows the optimizer's parameter groups and the schedule. Does not know losses, data or the training loop.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from engine.training.budget import Budget


def parameter_groups(
    model: nn.Module,
    decayed: Collection[str],
    fast: Collection[int],
    *,
    learning_rate: float,
    fast_ratio: float,
    weight_decay: float,
) -> list[dict[str, Any]]:
    """The trainable parameters in up to four groups, for an optimizer.

    Parameters named in `decayed` have weight decay; those whose `id` is in `fast` have `fast_ratio` times the learning rate. The first
    group has the plain rate if any parameter has: it is the one that step events report.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((name in decayed, id(parameter) in fast), []).append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": weight_decay if decay else 0.0,
            "lr": learning_rate * fast_ratio if is_fast else learning_rate,
        }
        for (decay, is_fast), parameters in sorted(groups.items(), key=lambda item: item[0][1])
    ]


def schedule_by_budget(scheduler: LambdaLR, optimizer: torch.optim.Optimizer, budget: Budget) -> LambdaLR:
    """The same schedule, read at the budget's position instead of the step. Both are equal where time is not limited."""

    def at_position(factor: Callable[[Any], float]) -> Callable[[int], float]:
        return lambda _: factor(budget.place)

    # A new scheduler, because creating one sets the learning rate of the first update.
    return LambdaLR(optimizer, [at_position(factor) for factor in scheduler.lr_lambdas])
