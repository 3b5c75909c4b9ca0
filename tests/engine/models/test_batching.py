"""Batches of like length. Run: python -m pytest tests/engine/training/test_batching.py"""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.models.batching import LengthBuckets, by_cost, by_length, padding_share

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


@given(LENGTHS, st.integers(64, 4096), st.integers(1, 64), st.integers(0, 2000))
def test_cheapest_batches_keep_the_same_bounds_and_cost_no_more(lengths, budget, most, beginning):
    batches, plain = by_cost(lengths, budget, most, beginning), list(by_length(lengths, budget, most))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= most
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget
    assert cost(lengths, batches, beginning) <= cost(lengths, plain, beginning)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(0, 20))
def test_no_other_cut_is_cheaper(lengths, beginning):
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    cuts = (
        [order[a:b] for a, b in itertools.pairwise([0, *inner, len(order)])]
        for count in range(len(order))
        for inner in itertools.combinations(range(1, len(order)), count)
    )
    best = min(cost(lengths, batches, beginning) for batches in cuts)
    assert cost(lengths, by_cost(lengths, 10**6, len(lengths), beginning), beginning) == best


def test_a_few_long_texts_do_not_lengthen_all_the_others():
    lengths = [700, 650] + [440] * 16
    assert [len(batch) for batch in by_cost(lengths, 100_000, 32, 1000)] == [2, 16]
    assert [len(batch) for batch in by_cost(lengths, 100_000, 32, 10_000)] == [18]


def cost(lengths, batches, beginning):
    return sum(len(batch) * max(lengths[i] for i in batch) + beginning for batch in batches)
