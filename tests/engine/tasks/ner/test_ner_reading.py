"""Rows of texts with entities as examples. Run: python -m pytest tests/engine/tasks/ner/test_ner_reading.py"""

from __future__ import annotations

import pytest

from engine.core.errors import LabelProblem
from engine.data.config import DataConfig
from engine.data.examples import read_examples
from engine.tasks import TASKS
from engine.tasks.ner.reading import join_tokens
from tests.engine.data.tables import table


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["I", "saw", "Ann", "."], "I saw Ann ."),
        (["我", "在", "北", "京"], "我在北京"),
        (["用", "iPhone", "很", "好", "，", "ok"], "用 iPhone 很好， ok"),
        (["🙂", "é", "x y"], "🙂 é x y"),
    ],
)
def test_joined_tokens_keep_their_offsets(tokens, text):
    joined, offsets = join_tokens(tokens)
    assert joined == text
    assert [joined[start:end] for start, end in offsets] == tokens


def test_tokens_and_tags_become_character_spans():
    rows = table({"tokens": [["Ann", "Lee", "🙂", "in", "Rome"]], "tags": [["B-PER", "I-PER", "O", "O", "B-LOC"]]})
    examples, notices = read_examples(rows, TASKS["ner"], {"tokens": "tokens", "tags": "tags"}, DataConfig())
    example = examples[0]
    assert [(example.inputs["text"][s["start"] : s["end"]], s["label"]) for s in example.target] == [
        ("Ann Lee", "PER"),
        ("Rome", "LOC"),
    ]
    assert example.inputs["tokens"][2] == [8, 9]
    assert notices == []


def test_words_in_one_cell():
    rows = table({"tokens": ["Ann ran"], "tags": ["B-PER O"]})
    examples, _ = read_examples(rows, TASKS["ner"], {"tokens": "tokens", "tags": "tags"}, DataConfig())
    assert examples[0].target == ({"start": 0, "end": 3, "label": "PER"},)


@pytest.mark.parametrize(
    ("tags", "code"), [([["B-PER"]], "tags_do_not_fit"), ([[1, 0]], "tags_are_numbers"), ([None], "tags_do_not_fit")]
)
def test_tags_that_cannot_be_read(tags, code):
    with pytest.raises(LabelProblem) as caught:
        read_examples(
            table({"k": [["Ann", "ran"]], "t": tags}), TASKS["ner"], {"tokens": "k", "tags": "t"}, DataConfig()
        )
    assert (caught.value.code, caught.value.where["row"]) == (code, 2)


@pytest.mark.parametrize(
    "cell",
    [
        [[0, 3, "PER"]],
        [{"start": 0, "end": 3, "label": "PER"}],
        [{"start_offset": 0, "end_offset": 3, "type": "PER"}],
        [{"start": 0, "end": 3, "labels": ["PER"], "text": "Ann"}],
        '[[0, 3, "PER"]]',
        {"entities": [[0, 3, "PER"]]},
    ],
)
def test_spans_as_tools_write_them(cell):
    rows = table({"text": ["Ann ran"], "spans": [cell]})
    examples, notices = read_examples(rows, TASKS["ner"], {"text": "text", "spans": "spans"}, DataConfig())
    assert examples[0].target == ({"start": 0, "end": 3, "label": "PER"},)
    assert notices == []


def test_spans_counted_in_utf16_are_found_again_by_their_text():
    rows = table({"text": ["🙂🙂 Ann and Ann"], "spans": [[{"start": 5, "end": 8, "label": "PER", "text": "Ann"}]]})
    examples, notices = read_examples(rows, TASKS["ner"], {"text": "text", "spans": "spans"}, DataConfig())
    assert examples[0].target[0]["start"] == 3
    assert [(n.code, n.count) for n in notices] == [("span_moved", 1)]


def test_spans_that_lie_outside_are_left_out_and_said():
    rows = table({"text": ["Ann", "Bob"], "spans": [[[0, 9, "PER"], [0, 3, "PER"], [2, 1, "X"], ["a", 1, "X"]], None]})
    examples, notices = read_examples(rows, TASKS["ner"], {"text": "text", "spans": "spans"}, DataConfig())
    assert [len(example.target) for example in examples] == [1]
    assert {n.code: n.count for n in notices} == {"missing_labels": 1, "span_out_of_range": 3}


def test_mixed_tag_schemes_are_said():
    rows = table({"k": [["a", "b", "c"]] * 2, "t": [["B-X", "I-X", "Y"], ["B-X", "O", "O"]]})
    _, notices = read_examples(rows, TASKS["ner"], {"tokens": "k", "tags": "t"}, DataConfig())
    assert [(n.code, n.count) for n in notices] == [("mixed_tag_schemes", 1)]
