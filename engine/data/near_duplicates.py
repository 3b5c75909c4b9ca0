"""Texts that are nearly the same, found without comparing all pairs.

Knows character shingles, MinHash signatures (Broder 1997) and locality-sensitive banding (Leskovec, Rajaraman & Ullman, Mining
of Massive Datasets, ch. 3), vectorised over all texts at once. Does not know tables, labels or splits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SHINGLE = 4  # characters: short enough for Chinese, long enough that ordinary English sentences share few
MIN_JACCARD = 0.8  # Jaccard index of the shingle sets from which two texts are near duplicates
_BANDS, _ROWS = 8, 4  # a pair at 0.8 meets in some band with probability 1 - (1 - 0.8**4)**8 = 0.985
_MIN_CHARS = 12  # characters; below, one changed character is another text
_MAX_CHARS = 4000  # characters looked at; documents alike that far are alike
_MAX_PAIRS = 200_000  # compared exactly, the likeliest first; reached only by tables filled from one template
_CHUNK = 1 << 18  # shingles worked on at a time, to stay inside the processor's cache


def near_duplicate_groups(texts: Sequence[str]) -> list[int]:
    """For each text the index of the first text of its group of near duplicates: its own where there is none.

    `texts` should be in normal form and without exact duplicates, which an exact comparison finds at less cost.
    """
    first = list(range(len(texts)))
    eligible = [i for i, text in enumerate(texts) if len(text) >= _MIN_CHARS]
    if len(eligible) < 2:
        return first
    cut = [texts[i][:_MAX_CHARS] for i in eligible]
    signatures = _signatures(cut)

    def root(k: int) -> int:
        while first[k] != k:
            first[k] = first[first[k]]
            k = first[k]
        return k

    left: frozenset[str] = frozenset()
    left_index = -1  # pairs come sorted by their first text, whose shingles are kept meanwhile
    for a, b in _candidates(signatures):
        ends = root(eligible[a]), root(eligible[b])
        if ends[0] == ends[1]:
            continue
        if a != left_index:
            left_index, left = a, _shingles(cut[a])
        right = _shingles(cut[b])
        # The smaller set bounds the overlap, so most pairs need no intersection.
        if min(len(left), len(right)) < MIN_JACCARD * max(len(left), len(right)):
            continue
        shared = len(left & right)
        if shared >= MIN_JACCARD * (len(left) + len(right) - shared):
            first[max(ends)] = min(ends)
    return [root(i) for i in range(len(texts))]


def _shingles(text: str) -> frozenset[str]:
    return frozenset([text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)])


def _signatures(texts: list[str]) -> np.ndarray:
    """MinHash signatures, shape (texts, bands * rows), uint32."""
    rng = np.random.default_rng(20_240_229)
    count = _BANDS * _ROWS
    factors = rng.integers(1, 2**63, size=count, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    salts = rng.integers(1, 2**63, size=count, dtype=np.uint64)
    signatures = np.empty((len(texts), count), dtype=np.uint32)
    start = 0
    while start < len(texts):
        end, size = start, 0
        while end < len(texts) and (size < _CHUNK or end == start):
            size += len(texts[end])
            end += 1
        hashes, begins = _shingle_hashes(texts[start:end])
        for k in range(count):
            mixed = ((hashes ^ salts[k]) * factors[k]) >> np.uint64(32)
            signatures[start:end, k] = np.minimum.reduceat(mixed.astype(np.uint32), begins)
        start = end
    return signatures


def _shingle_hashes(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """A hash of every shingle of every text, one after the other, and where each text begins among them."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", errors="replace"), dtype=np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in texts])
    hashes = np.zeros(len(codes) - SHINGLE + 1, dtype=np.uint64)
    for i in range(SHINGLE):
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + codes[i : len(codes) - SHINGLE + 1 + i]
    hashes ^= hashes >> np.uint64(29)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(32)
    # Shingles that run over the end of their text are left out.
    ends = np.cumsum(lengths)
    inside = np.ones(len(hashes), dtype=bool)
    for i in range(1, SHINGLE):
        inside[ends[:-1] - i] = False
    counts = lengths - SHINGLE + 1
    return hashes[inside], np.concatenate(([0], np.cumsum(counts)[:-1]))


def _candidates(signatures: np.ndarray) -> list[tuple[int, int]]:
    """Pairs that agree in a whole band and, by their signatures, are not far apart; each with the first of its bucket."""
    pairs: list[np.ndarray] = []
    for band in range(_BANDS):
        columns = signatures[:, band * _ROWS : (band + 1) * _ROWS].astype(np.uint64)
        key = np.zeros(len(columns), dtype=np.uint64)
        for i in range(_ROWS):
            key = key * np.uint64(0x9E3779B97F4A7C15) + columns[:, i]
        order = np.argsort(key, kind="stable")
        ranked = key[order]
        same = np.concatenate(([False], ranked[1:] == ranked[:-1]))
        if not same.any():
            continue
        begin = np.maximum.accumulate(np.where(~same, np.arange(len(order)), 0))
        members = np.flatnonzero(same)
        pairs.append(np.stack([order[begin[members]], order[members]], axis=1))
        # Neighbours in a bucket as well: the first one need not be like all of them.
        pairs.append(np.stack([order[members - 1], order[members]], axis=1))
    if not pairs:
        return []
    unique = np.unique(np.concatenate(pairs), axis=0)
    agreement = (signatures[unique[:, 0]] == signatures[unique[:, 1]]).mean(axis=1)
    # 32 hashes estimate the Jaccard index with a standard error of 0.07; three of them below 0.8 are let through.
    close = np.flatnonzero((agreement >= MIN_JACCARD - 0.21) & (unique[:, 0] != unique[:, 1]))
    if len(close) > _MAX_PAIRS:
        close = np.sort(close[np.argsort(-agreement[close], kind="stable")[:_MAX_PAIRS]])
    return [(int(a), int(b)) for a, b in unique[close]]
