"""Several processes that learn one model together: `accelerate launch -m engine.training.worker RUN_DIR`.

The leader (rank 0) carries out the run as a single worker would: it alone reads the data, writes, evaluates and decides. The others
load the same model and take their share of every batch. Each batch is the one that a single process would have taken, split among
them, and each share counts by its size: gradients, and so the result, are those of one process. Knows ranks and shares; does not
know losses or models.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.schema import IGNORED, Feature
from engine.training.stopping import StopRequested

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """One process of `size`. Alone, every method gives back what it was given."""

    rank: int = 0
    size: int = 1

    @classmethod
    def of_environment(cls) -> ProcessGroup:
        """As torchrun, and so accelerate, says it."""
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def meet(self, device: str) -> None:
        """Wait for the others. On GPUs each process gets the one that accelerate has for it."""
        if self.size > 1:
            import torch
            from accelerate import PartialState

            cpu = device == "cpu" or not torch.cuda.is_available()
            PartialState(cpu=cpu, **({"backend": "gloo"} if cpu else {}))

    def same(self, value: Value) -> Value:
        """The leader's value, in every process."""
        if self.size == 1:
            return value
        from accelerate.utils import broadcast_object_list

        return broadcast_object_list([value if self.leads else None])[0]

    def answer(self, ask: Callable[[], Value]) -> Value:
        """What the leader finds when it asks. Where it is told to stop meanwhile, all are."""
        if self.size == 1:
            return ask()
        found: tuple[bool, Any] = (True, None)
        if self.leads:
            try:
                found = (False, ask())
            except StopRequested:
                found = (True, None)
        stopped, value = self.same(found)
        if stopped:
            raise StopRequested
        return value

    def share(self, features: Sequence[Feature], by_tokens: bool) -> Share:
        """This process's part of a batch. A batch with fewer sequences than processes leaves some with one that counts nothing."""
        mine = features[self.rank :: self.size]
        units = [_units(feature, by_tokens) for feature in features]
        part = sum(_units(feature, by_tokens) for feature in mine)
        weight = self.size * part / max(1, sum(units))
        return Share(mine or features[:1], weight, len(features), sum(map(len, features)))


@dataclass(frozen=True, slots=True)
class Share:
    """`weight` makes the mean over processes the mean over the batch; `sequences` and `tokens` are the whole batch's."""

    features: Sequence[Feature]
    weight: float
    sequences: int
    tokens: int


def _units(feature: Feature, by_tokens: bool) -> int:
    """What the loss is a mean over: sequences, or the tokens that have a target."""
    if not by_tokens or feature.token_targets is None:
        return 1
    return sum(target != IGNORED for target in feature.token_targets)
