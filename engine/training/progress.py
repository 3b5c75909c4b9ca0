"""What training has come to. Knows no model and no loop."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass
class Progress:
    """Every evaluation, and the trainable weights at the best of them. `since_best` counts those since the score last rose, `seconds`
    are those of all attempts together.
    """

    metric: str
    best_value: float = -1.0
    best_loss: float = math.inf
    best_step: int = 0
    best_epoch: float = 0.0
    best_state: dict[str, torch.Tensor] = field(default_factory=dict)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    since_best: int = 0
    stopped_early: bool = False
    examples: int = 0
    tokens: int = 0
    seconds: float = 0.0

    def is_best(self, value: float, loss: float) -> bool:
        """Whether an evaluation is better than all before: by its score, and by its loss where few rows make many score the same."""
        return (value, -loss) > (self.best_value, -self.best_loss)
