"""Batches of like length. Run: python -m pytest tests/engine/training/test_batching.py"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.training.batching import LengthBuckets, by_length, padding_share

LENGTHS = st.lists(st.integers(1, 512), min_size=1, max_size=400)


@given(LENGTHS, st.integers(1, 64), st.integers(1, 5))
def test_every_example_comes_once_an_epoch(lengths, batch_size, pool):
    sampler = LengthBuckets(lengths, batch_size, seed=1, pool=pool)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert sum(len(batch) < batch_size for batch in batches) <= 1


def test_the_order_depends_on_seed_and_epoch_alone():
    lengths = list(range(1, 200))
    sampler = LengthBuckets(lengths, 8, seed=3)
    first, again = list(sampler), list(sampler)
    assert first == again
    sampler.set_epoch(1)
    assert list(sampler) != first
    sampler.set_epoch(0)
    assert list(sampler) == first
    assert list(LengthBuckets(lengths, 8, seed=4)) != first


def test_buckets_save_most_of_the_padding():
    lengths = np.random.default_rng(0).geometric(0.03, 4000).clip(2, 256)
    bucketed = list(LengthBuckets(lengths, 32, seed=0))
    order = np.random.default_rng(1).permutation(len(lengths))
    plain = [order[i : i + 32].tolist() for i in range(0, len(order), 32)]
    assert padding_share(lengths, bucketed) < 0.2 * padding_share(lengths, plain)


@given(LENGTHS, st.integers(64, 4096), st.integers(1, 64))
def test_evaluation_batches_keep_the_token_budget(lengths, budget, most):
    batches = list(by_length(lengths, budget, most))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= most
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget
