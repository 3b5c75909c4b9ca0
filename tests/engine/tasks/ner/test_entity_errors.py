"""Every entity and every answer belongs to one error at most.

Run: python -m pytest tests/engine/evaluation/ner/test_entity_errors.py
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.ner.errors import KINDS, RIGHT, compare


def s(start: int, end: int, label: str = "LOC") -> dict:
    return {"start": start, "end": end, "label": label}


@pytest.mark.parametrize(
    ("gold", "given_", "expected"),
    [
        ([s(0, 5)], [s(0, 5)], [RIGHT]),
        ([s(0, 5)], [], ["missed"]),
        ([], [s(0, 5)], ["invented"]),
        ([s(0, 5)], [s(0, 5, "PER")], ["type"]),
        ([s(0, 5)], [s(1, 5)], ["boundary"]),
        ([s(0, 5)], [s(1, 5, "PER")], ["both"]),
        ([s(0, 5)], [s(5, 9)], ["missed", "invented"]),
        ([s(0, 8)], [s(0, 2), s(3, 8)], ["invented", "boundary"]),  # the longer overlap is the answer
        ([s(0, 8)], [s(0, 6, "PER"), s(6, 8)], ["both", "boundary"][1:] + ["invented"]),
        ([s(0, 3), s(4, 8)], [s(4, 8), s(0, 4)], ["boundary", RIGHT]),
        ([s(0, 5), s(0, 5)], [s(0, 5)], [RIGHT]),
    ],
)
def test_kinds(gold, given_, expected):
    assert Counter(match.kind for match in compare(gold, given_)) == Counter(expected)


_spans = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 5), st.sampled_from(["A", "B"])).map(lambda t: s(t[0], t[0] + t[1], t[2])),
    max_size=5,
)  # fmt: skip


@given(_spans, _spans)
def test_each_once_and_kinds_keep_their_word(gold, output):
    matches = compare(gold, output)
    key = lambda span: (span["start"], span["end"], span["label"])  # noqa: E731
    assert Counter(key(m.gold) for m in matches if m.gold) == Counter(set(map(key, gold)))
    assert Counter(key(m.given) for m in matches if m.given) == Counter(set(map(key, output)))
    assert {match.kind for match in matches} <= {RIGHT, *KINDS}
    assert sum(match.kind == RIGHT for match in matches) == len(set(map(key, gold)) & set(map(key, output)))
    for match in matches:
        if match.kind == "type":
            assert key(match.gold)[:2] == key(match.given)[:2] and match.types[0] != match.types[1]
        if match.kind == "boundary":
            assert match.types[0] == match.types[1] and key(match.gold) != key(match.given)
