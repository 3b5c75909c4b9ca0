"""Several processes that train one model together: `accelerate launch -m engine.training.worker RUN_DIR`.

The main process (rank 0) carries out the run as a single worker would: it alone reads the data, writes, evaluates and decides. The others
load the same model and take their shard of every batch. Each batch is the one that a single process would have taken, split among them,
and each shard is weighted by its size: gradients, and so the result, are those of one process. Knows ranks and shards; does not know
losses or models.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.schema import IGNORED, Feature
from engine.training.stopping import StopRequested

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """This process, and how many train together. With a single process every method returns its argument."""

    rank: int = 0
    size: int = 1

    @classmethod
    def from_environment(cls) -> ProcessGroup:
        """As torchrun and accelerate set it."""
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def init(self, device: str) -> None:
        """Wait until all processes are there. On GPUs each gets the device that accelerate assigns to it."""
        if self.size > 1:
            import torch
            from accelerate import PartialState

            cpu = device == "cpu" or not torch.cuda.is_available()
            PartialState(cpu=cpu, **({"backend": "gloo"} if cpu else {}))

    def broadcast(self, value: Any) -> Any:
        """The main process's value, in every process."""
        if self.size == 1:
            return value
        from accelerate.utils import broadcast_object_list

        return broadcast_object_list([value if self.is_main else None])[0]

    def on_main(self, function: Callable[[], Value]) -> Value:
        """The result of `function`, called in the main process only. StopRequested there is raised in all."""
        if self.size == 1:
            return function()
        outcome: tuple[bool, Any] = (True, None)
        if self.is_main:
            with contextlib.suppress(StopRequested):
                outcome = (False, function())
        stopped, value = self.broadcast(outcome)
        if stopped:
            raise StopRequested
        return value

    @contextlib.contextmanager
    def main_first(self) -> Iterator[None]:
        """A block that the main process runs before the others do."""
        if not self.is_main:
            self.broadcast(None)
        yield
        if self.is_main:
            self.broadcast(None)

    def shard(self, features: Sequence[Feature], by_tokens: bool) -> Shard:
        """This process's part of a batch. With fewer sequences than processes some get one of weight zero."""
        own = features[self.rank :: self.size]
        units = sum(_units(feature, by_tokens) for feature in features)
        own_units = sum(_units(feature, by_tokens) for feature in own)
        weight = self.size * own_units / max(1, units)
        return Shard(own or features[:1], weight, len(features), sum(map(len, features)))


SINGLE_PROCESS = ProcessGroup()


@dataclass(frozen=True, slots=True)
class Shard:
    """`weight` makes the mean over processes the mean over the batch; `sequences` and `tokens` count the whole batch."""

    features: Sequence[Feature]
    weight: float
    sequences: int
    tokens: int


def _units(feature: Feature, by_tokens: bool) -> int:
    """How many terms of the loss's mean a sequence contributes: one, or its tokens that have a target."""
    if not by_tokens or feature.token_targets is None:
        return 1
    return sum(target != IGNORED for target in feature.token_targets)
