"""Windows over a context: what they cover, what the tokens of an answer are, and that offsets are those of the original text.

Run: python -m pytest tests/engine/answering/test_windows.py
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.schema import IGNORED, Example
from engine.tasks.qa.window_sampling import sample_training_windows
from engine.tasks.qa.windows import END, START, Layout, encode_windows, split_evenly, token_targets
from tests.tiny import tokenizer

TOKENIZER = tokenizer(["who", "has", "the", "key", "ann", "box", "red", "a", "is", "in"])


def example(context: str, question: str = "who has the key", *answers: str) -> Example:
    return Example(
        1,
        {"context": context, "question": question},
        tuple({"text": answer, "start": context.index(answer)} for answer in answers),
    )


@given(st.integers(1, 5000), st.integers(8, 400))
def test_windows_cover_everything_overlap_and_are_even(length: int, room: int) -> None:
    parts = split_evenly(length, room)
    assert parts[0][0] == 0 and parts[-1][1] == length
    sizes = [end - start for start, end in parts]
    assert max(sizes) <= room and max(sizes) - min(sizes) == 0
    overlap = min(128, room // 3)
    for (_, end), (start, _) in itertools.pairwise(parts):
        assert end - start >= overlap - 1


def test_the_question_comes_first_and_is_in_every_window() -> None:
    result = encode_windows([example("red box a ann is in the box " * 10)], TOKENIZER, 32, windows=True)
    assert len(result.features) > 2 and result.truncated == 1
    question = TOKENIZER("who has the key", add_special_tokens=False)["input_ids"]
    for feature in result.features:
        assert len(feature) <= 32
        assert feature.input_ids[1 : 1 + len(question)] == question
        assert all(place == (0, 0) for place in feature.offsets[: len(question) + 2])


def test_windows_are_what_the_tokenizer_itself_gives_for_a_pair() -> None:
    one = example("red box a ann is in the box")
    [feature] = encode_windows([one], TOKENIZER, 64, windows=True).features
    assert feature.input_ids == TOKENIZER(one.inputs["question"], one.inputs["context"])["input_ids"]
    assert Layout.of(TOKENIZER).size == 3


def test_offsets_are_those_of_the_original_text() -> None:
    context = "  red\u3000box \U0001f389 ann\n\n is  in "
    [feature] = encode_windows([example(context)], TOKENIZER, 64, windows=True).features
    pieces = [context[start:end] for start, end in feature.offsets if end > start]
    assert pieces == ["red", "box", "\U0001f389", "ann", "is", "in"]


def test_an_answer_is_marked_where_it_stands_whole_and_none_elsewhere() -> None:
    context = "red box " * 20 + "ann is in " + "the box " * 20
    one = example(context, "who has the key", "ann")
    result = encode_windows([one], TOKENIZER, 32, windows=True)
    targets = token_targets(result.features, one.target)
    holding = 0
    for feature, target in zip(result.features, targets, strict=True):
        assert len(target) == len(feature)
        marked = np.flatnonzero((target != IGNORED) & (target & START > 0) & (np.arange(len(target)) > 0))
        if len(marked):
            holding += 1
            start, end = feature.offsets[marked[0]]
            assert context[start:end] == "ann" and target[marked[0]] == START | END
            assert target[0] == 0
        else:
            assert target[0] == START | END
    assert holding >= 1


def test_every_reference_is_marked() -> None:
    one = example("red box ann is in the box", "who has the key", "ann", "red box")
    [feature] = encode_windows([one], TOKENIZER, 64, windows=True).features
    [target] = token_targets([feature], one.target)
    inside = target[target != IGNORED][1:]
    assert ((inside & START) > 0).sum() == 2 and ((inside & END) > 0).sum() == 2


def test_an_answer_longer_than_any_overlap_is_taught_where_most_of_it_stands() -> None:
    context = "red box ann is in " * 30
    one = Example(1, {"context": context, "question": "who"}, ({"text": context.strip(), "start": 0},))
    result = encode_windows([one], TOKENIZER, 32, windows=True)
    targets = token_targets(result.features, one.target)
    assert sum(int(target[0] == 0) for target in targets) == 1


def test_an_answer_within_a_token_takes_the_token() -> None:
    one = Example(1, {"context": "the redbox ann", "question": "who"}, ({"text": "ed", "start": 5},))
    [feature] = encode_windows([one], TOKENIZER, 64, windows=True).features
    [target] = token_targets([feature], one.target)
    [place] = np.flatnonzero((target != IGNORED) & (target > 0))
    assert feature.offsets[place] == (4, 10)


def test_a_question_longer_than_half_a_window_is_cut_and_told() -> None:
    rows = [example("ann is in the box", "who has the key " * 20), example("ann is in the box")]
    result = encode_windows(rows, TOKENIZER, 32, windows=True)
    assert result.shortened == {0}
    assert max(map(len, result.features)) <= 32
    assert all(any(end > start for start, end in feature.offsets) for feature in result.features)


def test_without_a_limit_nothing_is_cut() -> None:
    result = encode_windows([example("red box " * 300)], TOKENIZER, None, windows=False)
    assert [len(feature) for feature in result.features] == [result.longest] == [600 + 4 + 3]
    assert result.truncated == 0


@pytest.mark.parametrize("nothing", [[], [example("ann", "who")]])
def test_few_rows(nothing: list[Example]) -> None:
    assert len(encode_windows(nothing, TOKENIZER, 32, windows=True).features) == len(nothing)


def test_of_many_windows_those_are_learned_from_that_teach_something() -> None:
    rows = [
        example("red box " * 40 + f"ann is in {'the box ' * (20 + n)}", "who has the key", "ann") for n in range(40)
    ]
    rows += [example("red box " * 60) for _ in range(10)]
    result = encode_windows(rows, TOKENIZER, 32, windows=True)
    for index, row in enumerate(rows):
        own = [feature for feature in result.features if feature.example == index]
        for feature, target in zip(own, token_targets(own, row.target), strict=True):
            feature.token_targets = target.tolist()
    kept = sample_training_windows(result.features)
    for index, row in enumerate(rows):
        own = [feature for feature in kept if feature.example == index]
        holding = [feature for feature in own if feature.token_targets[0] == 0]
        assert len(holding) == bool(row.target)
        assert 1 <= len(own) <= 2
    without = sum(feature.token_targets[0] != 0 for feature in kept)
    assert 10 + 4 <= without <= 10 + 22, "some of the answered questions also show a window without their answer"
    assert kept == sample_training_windows(result.features)
