"""What training has reached: its evaluations, the best weights, and how fast it goes. Knows no model and no loop."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass
class Progress:
    """Every evaluation, and the trainable weights at the best one. `since_best` counts evaluations since the score last rose; `seconds`
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
        """Whether an evaluation is better than all before: by its score, or by its loss where the score is equal, as over few rows."""
        return (value, -loss) > (self.best_value, -self.best_loss)

    def record(self, value: float, loss: float, step: int, epoch: float) -> bool:
        """Take note of an evaluation. Returns whether it is the best so far; then the caller sets `best_state`."""
        best = self.is_best(value, loss)
        # Early stopping looks at scores only: a loss can fall by next to nothing for ever.
        self.since_best = 0 if value > self.best_value else self.since_best + 1
        if best:
            self.best_value, self.best_loss = value, loss
            self.best_step, self.best_epoch = step, epoch
        return best


class Throughput:
    """Rows and tokens trained on so far, and their rates since the last look."""

    def __init__(self) -> None:
        self.examples = self.tokens = 0
        self.restart()

    def add(self, examples: int, tokens: int) -> None:
        self.examples += examples
        self.tokens += tokens

    def restart(self) -> None:
        """Measure rates from now on."""
        self._since = (time.perf_counter(), self.examples, self.tokens)

    def rates(self) -> dict[str, float]:
        """Rows and tokens a second since the last call of this or `restart`, as a step event has them."""
        start, examples, tokens = self._since
        self.restart()
        seconds = max(self._since[0] - start, 1e-9)
        return {
            "examples_per_second": round((self.examples - examples) / seconds, 1),
            "tokens_per_second": round((self.tokens - tokens) / seconds, 1),
        }
