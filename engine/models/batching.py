"""Batches of sequences of similar length, so that little is computed on padding.

Knows lengths and order. Does not know tokens, targets or devices.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler


class LengthBuckets(Sampler[list[int]]):
    """Batches of indices of sequences of similar length, shuffled anew each epoch.

    All indices are shuffled, cut into pools of `pool` batches, sorted by length within a pool, and the batches of all
    pools are shuffled again: batches are random enough for training and hardly padded. Same seed and epoch, same batches.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int, pool: int = 50):
        self._lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self._seed = seed
        self._pool = pool
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return math.ceil(len(self._lengths) / self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        random = np.random.default_rng((self._seed, self._epoch))
        order = random.permutation(len(self._lengths))
        # Pools end at whole batches, so that only the very last batch of an epoch can be short.
        pools = max(1, len(self) // self._pool)
        cuts = [len(self) * pool // pools * self.batch_size for pool in range(1, pools)]
        batches: list[np.ndarray] = []
        for part in np.split(order, cuts):
            part = part[np.argsort(self._lengths[part], kind="stable")]
            batches += [part[start : start + self.batch_size] for start in range(0, len(part), self.batch_size)]
        for position in random.permutation(len(batches)):
            yield batches[position].tolist()


def by_length(lengths: Sequence[int], token_budget: int, most: int) -> Iterator[list[int]]:
    """Batches for evaluation, longest first: at most `token_budget` padded tokens and `most` sequences each."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        size = max(1, min(most, token_budget // max(1, lengths[order[start]])))
        yield order[start : start + size]
        start += size


def by_cost(lengths: Sequence[int], token_budget: int, most: int, overhead: int) -> list[list[int]]:
    """Batches within the same bounds, longest first, of the least cost: their padded tokens, and `overhead` for every batch.

    `overhead` is the cost of a batch whatever its size, in tokens. The cheapest way to cut the sorted sequences after the first
    n of them is the cheapest way to cut fewer, and one more batch.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    costs: list[float] = [0]
    firsts = [0]
    for end in range(1, len(order) + 1):
        cheapest, first = math.inf, end - 1
        for start in range(end - 1, max(-1, end - 1 - most), -1):
            padded = (end - start) * lengths[order[start]]
            if padded > token_budget and start < end - 1:
                break
            if costs[start] + padded + overhead < cheapest:
                cheapest, first = costs[start] + padded + overhead, start
        costs.append(cheapest)
        firsts.append(first)
    cuts = [len(order)]
    while cuts[-1]:
        cuts.append(firsts[cuts[-1]])
    return [order[start:end] for end, start in reversed(list(itertools.pairwise(cuts)))]


def padding_share(lengths: Sequence[int], batches: Sequence[Sequence[int]]) -> float:
    """Share of the computed tokens that is padding."""
    real = sum(lengths[index] for batch in batches for index in batch)
    computed = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    return 1 - real / computed if computed else 0.0
