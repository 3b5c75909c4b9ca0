"""Near duplicates: the fast way agrees with comparing each pair.

Run: python -m pytest tests/engine/data/test_near_duplicates.py
"""

from __future__ import annotations

import random

from engine.data.near_duplicates import MIN_JACCARD, near_duplicate_groups
from tests.engine.data.planted import COMMON


def jaccard(a, b):
    left, right = ({t[i : i + 4] for i in range(len(t) - 3)} for t in (a, b))
    return len(left & right) / len(left | right)


def test_agrees_with_brute_force():
    rng = random.Random(1)
    texts = [" ".join(rng.choices(COMMON, k=rng.randint(8, 20))) for _ in range(150)]
    for i in range(50):  # variants at every distance
        words = texts[i].split()
        for _ in range(i % 5 + 1):
            words[rng.randrange(len(words))] = rng.choice(COMMON)
        texts.append(" ".join(words))
    groups = near_duplicate_groups(texts)
    close = [(i, j) for i in range(len(texts)) for j in range(i) if jaccard(texts[i], texts[j]) >= MIN_JACCARD]
    assert len(close) >= 5
    assert all(groups[i] == groups[j] for i, j in close)
    apart = [i for i, head in enumerate(groups) if head != i and jaccard(texts[i], texts[head]) < 0.5]
    assert apart == []


def test_chinese_and_short_texts():
    texts = [
        "这个商品的质量非常好，物流也很快，下次还会再来购买的",
        "这个商品的质量非常好，物流也很快，下次还会再来购买",
        "很好",
        "很好!",
        "差评",
    ]
    assert near_duplicate_groups(texts) == [0, 0, 2, 3, 4]


def test_emoji_do_not_shift_the_shingles():
    texts = [
        "🙂🙂 hello there my friend how are you today",
        "x" * 30,
        "🙂🙂 hello there my friend how are you today!",
        "",
        "abc",
    ]
    assert near_duplicate_groups(texts) == [0, 1, 0, 3, 4]


def test_nothing_to_compare():
    assert near_duplicate_groups([]) == []
    assert near_duplicate_groups(["only one text is here"]) == [0]
