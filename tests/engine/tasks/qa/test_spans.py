"""Spans from scores: valid ones only, ranked as by trying all, put together over windows.

Run: python -m pytest tests/engine/answering/test_spans.py
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.schema import IGNORED, Feature
from engine.tasks.qa.spans import Prediction, Span, best_spans, log_loss, rank_spans
from engine.tasks.qa.windows import END, START


def tried_one_by_one(logits: np.ndarray, offsets: np.ndarray, longest: int) -> list[tuple[float, int, int]]:
    result = []
    for first in range(len(offsets)):
        for last in range(first, len(offsets)):
            inside = offsets[first, 1] > offsets[first, 0] and offsets[last, 1] > offsets[last, 0]
            if inside and (first == last or offsets[last, 1] - offsets[first, 0] <= longest):
                result.append(
                    (float(logits[first, 0] + logits[last, 1]), int(offsets[first, 0]), int(offsets[last, 1]))
                )
    return sorted(result, reverse=True)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 40))
def test_the_best_spans_are_those_found_by_trying_all(seed: int, tokens: int, longest: int) -> None:
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 6, tokens)
    ends = np.cumsum(lengths + random.integers(0, 2, tokens))
    offsets = np.stack([ends - lengths, ends], axis=1)
    offsets[random.random(tokens) < 0.2] = 0
    logits = random.normal(size=(tokens, 2)).astype(np.float32)
    expected = tried_one_by_one(logits.astype(np.float64), offsets, longest)
    result = best_spans(logits, offsets, longest, 10)
    assert len(result) == min(10, len(expected))
    assert [span.score for span in result] == pytest.approx([score for score, _, _ in expected[:10]], abs=1e-5)
    for span in result:
        assert span.start < span.end
        assert any((start, end) == (span.start, span.end) for _, start, end in expected)


def window(logits: list[list[float]], offsets: list[tuple[int, int]]) -> tuple[Feature, np.ndarray]:
    padding = [[9.0, 9.0]] * 3  # what the batch was padded with must never be an answer
    return Feature(0, list(range(len(offsets))), offsets=offsets), np.array([*logits, *padding])


def test_windows_are_put_together() -> None:
    first = window([[1, 1], [5, 0], [0, 4]], [(0, 0), (0, 3), (4, 7)])
    second = window([[-1, 0], [6, 0], [0, 7]], [(0, 0), (4, 7), (8, 11)])
    result = rank_spans([first, second], longest=20)
    assert (result.spans[0].start, result.spans[0].end, result.spans[0].score) == (4, 11, 13.0)
    # A span that both see keeps its better score; no answer must hold in every window, so its least score counts.
    assert [span.score for span in result.spans if (span.start, span.end) == (4, 7)] == [6.0]
    assert result.null == -1.0
    assert result.difference == -14.0
    for one, other in itertools.pairwise(result.apart):
        assert not one.overlaps(other) and one.score >= other.score


def test_shares_are_a_softmax_with_no_answer_among_them() -> None:
    result = Prediction([Span(0, 1, 2.0), Span(3, 4, 1.0)], [], null=1.5)
    shares, nothing = result.probabilities(result.spans, unanswerable=True)
    assert sum(shares) + nothing == pytest.approx(1)
    assert shares[0] > nothing > shares[1]
    shares, nothing = result.probabilities(result.spans, unanswerable=False)
    assert sum(shares) == pytest.approx(1) and nothing == 0


def test_a_context_without_a_token_gives_no_span() -> None:
    result = rank_spans([window([[1, 1]], [(0, 0)])], longest=10)
    assert result.spans == [] and result.difference == np.inf
    assert result.probabilities((), True) == ([], 1.0)


def test_the_log_loss_is_the_mean_of_both_ends() -> None:
    targets = np.array([0, IGNORED, START, END, 0])
    logits = np.zeros((5, 2))
    assert log_loss(logits, targets) == pytest.approx(np.log(4))
    logits[2, 0] = logits[3, 1] = 50
    assert log_loss(logits, targets) == pytest.approx(0, abs=1e-6)
    # Two right places share their probability.
    assert log_loss(np.zeros((3, 2)), np.array([0, START | END, START | END])) == pytest.approx(np.log(3 / 2))
