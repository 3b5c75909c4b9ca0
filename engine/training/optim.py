"""How large the steps of an update are: which parameters take larger ones, and how the rate rises and falls.

Knows the optimizer's groups and the schedule. Does not know losses, data or what becomes of the weights.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from engine.models.speed import clip_in_update
from engine.training.budget import Budget
from engine.training.checkpointing import Resumable
from engine.training.defaults import Resolved


class Stepping(Resumable):
    """The part of `FineTuner` that makes its optimizer and its schedule. `fast` are the ids of the parameters with larger steps,
    `fast_paths` the names of the fast paths that may be used.
    """

    resolved: Resolved
    budget: Budget
    fast: set[int]
    fast_paths: frozenset[str]

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """AdamW without decay of biases and norms, as Trainer makes it; some parameters (`fast`) take larger steps."""
        model = model or self.model
        kind, options = self.get_optimizer_cls_and_kwargs(self.args, model)
        decayed = set(self.get_decay_parameter_names(model))
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                groups.setdefault((name in decayed, id(parameter) in self.fast), []).append(parameter)
        rate = self.args.learning_rate
        self.optimizer = kind(
            [
                {
                    "params": parameters,
                    "weight_decay": self.args.weight_decay if decay else 0.0,
                    "lr": rate * self.resolved.fast_ratio if fast else rate,
                }
                # The first group's rate is the one that is told.
                for (decay, fast), parameters in sorted(groups.items(), key=lambda item: item[0][1])
            ],
            **options,
        )
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> LRScheduler:
        """Trainer's own, read at the budget's place in the schedule, which is the step where nobody set a limit."""
        scheduler = super().create_scheduler(num_training_steps, optimizer)

        def placed(rate: Callable[[float], float]) -> Callable[[int], float]:
            return lambda _: rate(self.budget.place)

        # Made anew, because it has set the first update's rate already.
        self.lr_scheduler = LambdaLR(self.optimizer, [placed(rate) for rate in scheduler.lr_lambdas])
        return self.lr_scheduler

    def _clip_grad_norm(self, model: nn.Module) -> torch.Tensor:
        """The norm of all gradients, which are clipped here or within the update."""
        optimizer, args = self.optimizer.optimizer, self.args
        if "clip_in_update" not in self.fast_paths or not clip_in_update.fits(optimizer, args.device, args.world_size):
            return super()._clip_grad_norm(model)
        return clip_in_update.clip(optimizer, model.parameters(), args.max_grad_norm)
