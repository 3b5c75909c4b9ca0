"""Words: exact places under any whitespace, script and combination of characters.

Run: python -m pytest tests/engine/tagging/test_words.py
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.ner.words import TOKEN, WORD, cuts_word, split_words


def words(text: str, tokens=None) -> list[str]:
    return [text[start:end] for start, end in split_words(text, tokens)[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann's trip, 3pm", ["Ann", "'", "s", "trip", ",", "3pm"]),
        ("U.S. tra-la", ["U", ".", "S", ".", "tra", "-", "la"]),
        ("我爱 北京tower。", ["我", "爱", "北", "京", "tower", "。"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("ราคา", ["ร", "า", "ค", "า"]),
        ("e\u0301lan na\u00efve", ["e\u0301lan", "na\u00efve"]),
        ("go 👩‍👩‍👧🇨🇳!", ["go", "👩‍👩‍👧", "🇨🇳", "!"]),
        ("a\u00a0b\u3000c\n\td", ["a", "b", "c", "d"]),
        ("soft\u00adhyphen", ["soft\u00adhyphen"]),
        ("€120.50", ["€", "120", ".", "50"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_words_of_a_text(text, expected):
    assert words(text) == expected


def test_tokens_cut_words_and_are_marked_where_they_begin():
    text = "can't stop"
    result, levels = split_words(text, [[0, 2], [2, 5], [6, 10]])
    assert [text[a:b] for a, b in result] == ["ca", "n", "'", "t", "stop"]
    assert levels == [TOKEN, TOKEN, WORD, WORD, TOKEN]


@given(st.text(max_size=60))
def test_words_cover_everything_but_blanks_in_order(text):
    result, _ = split_words(text)
    assert all(a < b for a, b in result)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(result))
    covered = {at for a, b in result for at in range(a, b)}
    assert all(text[at].isspace() for at in set(range(len(text))) - covered)


def test_spans_that_cut_words_are_counted():
    spans = [{"start": 0, "end": 6}, {"start": 7, "end": 9}, {"start": 7, "end": 12}]
    assert cuts_word("iPhone phone 北京", spans) == 1
    assert cuts_word("北京市", [{"start": 0, "end": 1}]) == 0
    assert cuts_word("x", []) == 0
