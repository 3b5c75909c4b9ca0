"""Decoding: the most probable legal sequence, strict spans, and how sure each is.

Run: python -m pytest tests/engine/tagging/test_decoding.py
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tasks.ner.bio import begin, best_tags, inside, span_score, spans_of, tag_names


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def legal(path) -> bool:
    before = 0
    for tag in path:
        if tag and tag % 2 == 0 and before not in (tag, tag - 1):
            return False
        before = tag
    return True


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(1, 2), st.integers(0, 10_000))
def test_the_path_is_the_best_of_all_legal_ones(words, types, seed):
    scores = log_softmax(np.random.default_rng(seed).normal(0, 2, (words, 1 + 2 * types)))
    best = max(
        (path for path in itertools.product(range(1 + 2 * types), repeat=words) if legal(path)),
        key=lambda path: sum(scores[i, tag] for i, tag in enumerate(path)),
    )
    assert best_tags([scores])[0].tolist() == list(best)


def test_sequences_of_different_length_do_not_disturb_each_other():
    random = np.random.default_rng(1)
    many = [log_softmax(random.normal(0, 2, (length, 7))) for length in (3, 1, 40, 7, 40, 2)]
    together = best_tags([*many, np.zeros((0, 7))])
    assert [path.tolist() for path in together[:-1]] == [best_tags([one])[0].tolist() for one in many]
    assert len(together[-1]) == 0
    assert all(legal(path) for path in together)


def test_an_entity_cannot_begin_inside():
    scores = np.log(np.array([[0.3, 0.25, 0.45], [0.2, 0.1, 0.7]]))  # O, B, I: I wins both words, and is not legal
    assert best_tags([scores])[0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([0, 1, 2, 2, 0], [(1, 4, 0)]),
        ([1, 1, 2], [(0, 1, 0), (1, 3, 0)]),
        ([2, 2, 0], []),
        ([1, 4, 4], [(0, 1, 0)]),
        ([3, 4, 1], [(0, 2, 1), (2, 3, 0)]),
        ([0, 2, 1], [(2, 3, 0)]),
        ([], []),
    ],
)
def test_spans_are_read_strictly(tags, expected):
    assert spans_of(tags) == expected


def test_a_span_is_as_sure_as_its_weakest_decision():
    probabilities = np.array([[0.1, 0.9, 0.0], [0.3, 0.1, 0.6], [0.75, 0.0, 0.25]])
    with np.errstate(divide="ignore"):
        scores = np.log(probabilities)
    assert span_score(scores, 0, 2, 0) == pytest.approx(0.6)
    assert span_score(scores, 0, 1, 0) == pytest.approx(0.4), "that it ends there is a decision too"
    assert span_score(scores[:2], 0, 2, 0) == pytest.approx(0.6)


def test_names_and_numbers_agree():
    names = tag_names(["LOC", "PER"])
    assert names == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    assert (names[begin(1)], names[inside(1)]) == ("B-PER", "I-PER")
