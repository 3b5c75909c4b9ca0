"""Spans as tags and back.

Run: python -m pytest tests/engine/tagging/test_alignment.py
"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.ner.alignment import spans_from_tags, tags_of
from engine.tasks.ner.words import split_words

TYPES = {"LOC": 0, "PER": 1}


def units(text: str):
    places, _ = split_words(text)
    return np.array([a for a, _ in places], np.int64), np.array([b for _, b in places], np.int64)


def span(start: int, end: int, label: str = "LOC") -> dict:
    return {"start": start, "end": end, "label": label}


def test_spans_become_tags():
    text = "Ann Lee saw 北京 ."
    tags, lost = tags_of(text, *units(text), [span(0, 7, "PER"), span(12, 14)], TYPES)
    assert tags.tolist() == [3, 4, 0, 1, 2, 0] and lost == []


def test_neighbours_of_one_type_stay_apart():
    text = "Paris Rome"
    assert tags_of(text, *units(text), [span(0, 5), span(6, 10)], TYPES)[0].tolist() == [1, 1]


def test_what_tags_cannot_express_is_told():
    text = "iPhones in New York "
    spans = [span(0, 6), span(11, 19), span(15, 19, "PER"), span(8, 8)]
    tags, lost = tags_of(text, *units(text), spans, TYPES)
    assert tags.tolist() == [1, 0, 1, 2], "a cut word is taken whole, of an overlap the longer span stays"
    assert [(one["start"], one["end"]) for one in lost] == [(0, 6), (15, 19), (8, 8)]
    blank = [span(8, 11)]
    tags, lost = tags_of(text, *units(text), blank, TYPES)
    assert tags.tolist() == [0, 1, 0, 0] and lost == blank, "the blank at its end has no tag"


def test_types_that_were_never_learned_are_left_out():
    assert tags_of("Ann", *units("Ann"), [span(0, 3, "XYZ")], TYPES)[0].tolist() == [0]


@given(st.text(alphabet="ab 1.北京\u0301😀", max_size=30), st.integers(0, 5), st.integers(0, 5))
def test_a_span_of_whole_words_comes_back(text, first, length):
    starts, ends = units(text)
    if first + length >= len(starts):
        return
    expected = span(int(starts[first]), int(ends[first + length]), "PER")
    tags, lost = tags_of(text, starts, ends, [expected], TYPES)
    assert lost == []
    certain = np.full((len(tags), 5), -50.0)
    certain[np.arange(len(tags)), tags] = 0.0
    (result,) = spans_from_tags(starts, ends, tags, certain, list(TYPES))
    assert {key: result[key] for key in expected} == expected and result["score"] == 1.0
