"""BIO tags: names and numbers, the best legal sequence (Viterbi), spans and their scores.

Tags are numbered O = 0, B-k = 1 + 2k, I-k = 2 + 2k for the k-th entity type. Knows sequences of tags; does not know texts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

OUTSIDE = 0
_CELLS_AT_ONCE = 4_000_000  # of a batch of padded sequences: words x tags


def tag_names(labels: Sequence[str]) -> list[str]:
    """O, B-x, I-x, B-y, I-y, ... in the order of their numbers."""
    return ["O", *(f"{letter}-{label}" for label in labels for letter in "BI")]


def begin(label: int) -> int:
    return 1 + 2 * label


def inside(label: int) -> int:
    return 2 + 2 * label


def best_tags(log_probabilities: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The most probable legal sequence of tags for each [words, tags] of log-probabilities (Viterbi 1967).

    Legal means that I-k follows B-k or I-k only. Sequences of similar length are decoded together.
    """
    paths: list[np.ndarray] = [np.zeros(0, dtype=np.int64)] * len(log_probabilities)
    order = sorted(
        (index for index in range(len(log_probabilities)) if len(log_probabilities[index])),
        key=lambda index: -len(log_probabilities[index]),
    )
    start = 0
    while start < len(order):
        longest, tags = log_probabilities[order[start]].shape
        members = order[start : start + max(1, min(512, _CELLS_AT_ONCE // (longest * tags)))]
        padded = np.zeros((len(members), longest, tags))
        for row, index in enumerate(members):
            padded[row, : len(log_probabilities[index])] = log_probabilities[index]
        lengths = np.array([len(log_probabilities[index]) for index in members])
        for index, path, length in zip(members, _viterbi(padded, lengths), lengths, strict=True):
            paths[index] = path[:length]
        start += len(members)
    return paths


def _viterbi(scores: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Paths [b, n] through `scores` [b, n, tags]; entries beyond a row's length are arbitrary."""
    rows, longest, tags = scores.shape
    begins, insides = np.arange(1, tags, 2), np.arange(2, tags, 2)
    total = scores[:, 0].copy()
    total[:, insides] = -np.inf  # no span to continue at the start
    came_from = np.zeros((longest, rows, tags), dtype=np.int32)
    identity = np.arange(tags, dtype=np.int32)
    for step in range(1, longest):
        best = total.argmax(axis=1)
        before = np.repeat(best[:, None], tags, axis=1)
        reached = np.repeat(total[np.arange(rows), best][:, None], tags, axis=1)
        # I-k has two predecessors, all other tags any.
        continues = total[:, insides] > total[:, begins]
        before[:, insides] = np.where(continues, insides, begins)
        reached[:, insides] = np.maximum(total[:, insides], total[:, begins])
        running = (step < lengths)[:, None]
        total = np.where(running, reached + scores[:, step], total)
        came_from[step] = np.where(running, before, identity)
    paths = np.zeros((rows, longest), dtype=np.int64)
    paths[:, -1] = total.argmax(axis=1)
    for step in range(longest - 1, 0, -1):
        paths[:, step - 1] = came_from[step][np.arange(rows), paths[:, step]]
    return paths


def spans_of(tags: Sequence[int] | np.ndarray) -> list[tuple[int, int, int]]:
    """Entities as (first word, word after the last, type), read strictly as IOB2: a span begins with B."""
    spans: list[tuple[int, int, int]] = []
    open_at, label = -1, -1
    for position, tag in enumerate([*tags, OUTSIDE]):
        continues = open_at >= 0 and tag == inside(label)
        if open_at >= 0 and not continues:
            spans.append((open_at, position, label))
            open_at = -1
        if tag % 2 == 1:
            open_at, label = position, (tag - 1) // 2
    return spans


def span_score(log_probabilities: np.ndarray, first: int, after: int, label: int) -> float:
    """The score of a span, between 0 and 1: the probability of its least certain tag, and of ending after the last one.

    Tags of neighbouring words are strongly correlated, so their product would be too low.
    """
    path = [log_probabilities[first, begin(label)], *log_probabilities[first + 1 : after, inside(label)]]
    score = float(np.exp(min(path)))
    if after < len(log_probabilities):
        score = min(score, 1.0 - float(np.exp(log_probabilities[after, inside(label)])))
    return max(0.0, min(1.0, score))
