"""Rows to examples, task by task.

Run: python -m pytest tests/engine/data/test_examples.py
"""

from __future__ import annotations

import pytest

from engine.config import DataConfig
from engine.core.errors import ColumnProblem, FileProblem, LabelProblem
from engine.data.examples import read_examples, require_labels
from engine.data.spans import join_tokens
from engine.data.tags import detect_scheme, token_spans
from tests.engine.data.tables import table

CLASSIFICATION = {"text": "text", "label": "label"}


def targets(labels, **data):
    rows = table({"text": [f"t{i}" for i in range(len(labels))], "label": labels})
    examples, _ = read_examples(rows, "classification", CLASSIFICATION, DataConfig(**data))
    return [example.target for example in examples]


def test_labels_in_every_form():
    assert targets(["a ", " b", "a"]) == ["a", "b", "a"]
    assert targets([0, 1, 1.0]) == ["0", "1", "1"]
    assert targets([True, False]) == ["true", "false"]
    assert targets([["a", "b"], ["b"], []]) == [("a", "b"), ("b",), ()]
    assert targets(['["a", "b"]', "['b']"]) == [("a", "b"), ("b",)]
    assert targets(["a; b", "b", "a;a"], label_separator=";") == [("a", "b"), ("b",), ("a",)]


def test_rows_without_text_or_label_are_left_out_counted_and_placed():
    rows = table({"text": ["x", " ", None, "y"], "label": ["a", "b", "c", None]})
    examples, notices = read_examples(rows, "classification", CLASSIFICATION, DataConfig())
    assert [(example.row, example.inputs, example.target) for example in examples] == [(2, {"text": "x"}, "a")]
    assert [(n.code, n.count, [p.row for p in n.rows]) for n in notices] == [
        ("empty_text", 2, [3, 4]),
        ("missing_labels", 1, [5]),
    ]


def test_text_pairs():
    rows = table({"a": ["x"], "b": ["y"], "label": ["z"]})
    examples, _ = read_examples(rows, "classification", {"text": "a", "text_pair": "b", "label": "label"}, DataConfig())
    assert examples[0].inputs == {"text": "x", "text_pair": "y"}


def test_nothing_usable_is_refused_with_the_first_place():
    with pytest.raises(FileProblem) as caught:
        read_examples(table({"text": ["x"], "label": [None]}), "classification", CLASSIFICATION, DataConfig())
    assert (caught.value.code, caught.value.where["row"], caught.value.where["column"]) == (
        "no_usable_rows",
        2,
        "label",
    )


def test_measurements_are_no_classes():
    with pytest.raises(LabelProblem, match="not classes"):
        targets([i * 0.37 for i in range(50)])


def test_a_column_that_is_gone_is_named():
    with pytest.raises(ColumnProblem, match="no column 'text'"):
        read_examples(table({"body": ["x"], "label": ["y"]}), "classification", CLASSIFICATION, DataConfig())


def test_one_label_teaches_nothing():
    rows = table({"text": ["x", "y"], "label": ["a", "a"]})
    examples, _ = read_examples(rows, "classification", CLASSIFICATION, DataConfig())
    with pytest.raises(LabelProblem, match="has the label 'a'"):
        require_labels(examples, "classification")


SCHEMES = {
    "BIO": "B-PER I-PER O B-LOC B-LOC",
    "BIO (IOB1)": "I-PER I-PER O I-LOC B-LOC",
    "BIOES": "B-PER E-PER O S-LOC S-LOC",
    "BILOU": "B-PER L-PER O U-LOC U-LOC",
    "BMES": "B-PER E-PER O S-LOC S-LOC",
    "underscore": "B_PER I_PER O B_LOC B_LOC",
    "suffix": "PER-B PER-I O LOC-B LOC-B",
    "lower case": "b-PER i-PER o b-LOC b-LOC",
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_any_tag_scheme(scheme):
    tags = SCHEMES[scheme].split()
    assert token_spans(tags, detect_scheme(tags)) == [(0, 2, "PER"), (3, 4, "LOC"), (4, 5, "LOC")]


def test_io_joins_neighbours_of_one_type():
    tags = ["PER", "PER", "O", "LOC", "LOC", "PER"]
    assert token_spans(tags, detect_scheme(tags)) == [(0, 2, "PER"), (3, 5, "LOC"), (5, 6, "PER")]


def test_bmes_with_a_long_middle():
    tags = ["B-ORG", "M-ORG", "M-ORG", "E-ORG", "B-ORG", "E-ORG"]
    assert token_spans(tags, detect_scheme(tags)) == [(0, 4, "ORG"), (4, 6, "ORG")]


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
    examples, notices = read_examples(rows, "ner", {"tokens": "tokens", "tags": "tags"}, DataConfig())
    example = examples[0]
    assert [(example.inputs["text"][s["start"] : s["end"]], s["label"]) for s in example.target] == [
        ("Ann Lee", "PER"),
        ("Rome", "LOC"),
    ]
    assert example.inputs["tokens"][2] == [8, 9]
    assert notices == []


def test_words_in_one_cell():
    rows = table({"tokens": ["Ann ran"], "tags": ["B-PER O"]})
    examples, _ = read_examples(rows, "ner", {"tokens": "tokens", "tags": "tags"}, DataConfig())
    assert examples[0].target == ({"start": 0, "end": 3, "label": "PER"},)


@pytest.mark.parametrize(
    ("tags", "code"), [([["B-PER"]], "tags_do_not_fit"), ([[1, 0]], "tags_are_numbers"), ([None], "tags_do_not_fit")]
)
def test_tags_that_cannot_be_read(tags, code):
    with pytest.raises(LabelProblem) as caught:
        read_examples(table({"k": [["Ann", "ran"]], "t": tags}), "ner", {"tokens": "k", "tags": "t"}, DataConfig())
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
    examples, notices = read_examples(rows, "ner", {"text": "text", "spans": "spans"}, DataConfig())
    assert examples[0].target == ({"start": 0, "end": 3, "label": "PER"},)
    assert notices == []


def test_spans_counted_in_utf16_are_found_again_by_their_text():
    rows = table({"text": ["🙂🙂 Ann and Ann"], "spans": [[{"start": 5, "end": 8, "label": "PER", "text": "Ann"}]]})
    examples, notices = read_examples(rows, "ner", {"text": "text", "spans": "spans"}, DataConfig())
    assert examples[0].target[0]["start"] == 3
    assert [(n.code, n.count) for n in notices] == [("span_moved", 1)]


def test_spans_that_lie_outside_are_left_out_and_said():
    rows = table({"text": ["Ann", "Bob"], "spans": [[[0, 9, "PER"], [0, 3, "PER"], [2, 1, "X"], ["a", 1, "X"]], None]})
    examples, notices = read_examples(rows, "ner", {"text": "text", "spans": "spans"}, DataConfig())
    assert [len(example.target) for example in examples] == [1]
    assert {n.code: n.count for n in notices} == {"missing_labels": 1, "span_out_of_range": 3}


def test_mixed_tag_schemes_are_said():
    rows = table({"k": [["a", "b", "c"]] * 2, "t": [["B-X", "I-X", "Y"], ["B-X", "O", "O"]]})
    _, notices = read_examples(rows, "ner", {"tokens": "k", "tags": "t"}, DataConfig())
    assert [(n.code, n.count) for n in notices] == [("mixed_tag_schemes", 1)]


QA = {"context": "c", "question": "q", "answers": "a"}
CONTEXT = "Ann lives in Rome. Bob lives in Rome too."


@pytest.mark.parametrize(
    ("cell", "target"),
    [
        ("Rome", [("Rome", 13)]),
        (["Rome", "Ann"], [("Rome", 13), ("Ann", 0)]),
        ({"text": ["Rome"], "answer_start": [32]}, [("Rome", 32)]),
        ([{"text": "Rome", "answer_start": 32}], [("Rome", 32)]),
        ('{"text": ["Rome"], "answer_start": [32]}', [("Rome", 32)]),
        ({"text": [], "answer_start": []}, []),
        (None, []),
        ("", []),
    ],
)
def test_answers_in_every_form(cell, target):
    rows = table({"c": [CONTEXT], "q": ["Where?"], "a": [cell], "id": ["x1"]})
    examples, notices = read_examples(rows, "qa", QA, DataConfig())
    assert [(answer["text"], answer["start"]) for answer in examples[0].target] == target
    assert examples[0].inputs == {"context": CONTEXT, "question": "Where?", "id": "x1"}
    assert notices == []


def test_answers_that_moved_or_are_lost():
    rows = table({"c": [CONTEXT] * 3, "q": ["Where?"] * 3, "a": ["Rome", "Paris", "Rome"], "s": [30, 0, "13"]})
    examples, notices = read_examples(rows, "qa", {**QA, "answer_start": "s"}, DataConfig())
    assert [example.target[0]["start"] for example in examples] == [32, 13]
    assert {n.code: (n.count, n.rows[0].row) for n in notices} == {
        "answer_moved": (1, 2),
        "answer_not_in_context": (1, 3),
    }


def test_summaries_and_dialogue_turns():
    rows = table({"d": ["long text", ["A: hi", "B: yo"], ""], "s": ["short", ["one", "two"], "x"]})
    examples, notices = read_examples(rows, "summarization", {"document": "d", "summary": "s"}, DataConfig())
    assert [(e.inputs["document"], e.target) for e in examples] == [
        ("long text", ("short",)),
        ("A: hi\nB: yo", ("one", "two")),
    ]
    assert [n.code for n in notices] == ["empty_text"]


@pytest.mark.parametrize(
    "cell", ["[b'x', 1]", "{1, 2}", "[(1, 2), {3}]", "['a', ...]", "{(1, 2): 3}", "[" * 500 + "]" * 500]
)
def test_cells_that_only_python_could_read_stay_text(cell):
    examples, _ = read_examples(
        table({"text": ["x", "y"], "label": [cell, "b"]}), "classification", CLASSIFICATION, DataConfig()
    )
    assert examples[0].target == cell


def test_numbers_beyond_measure_do_no_harm():
    rows = table({"c": [CONTEXT] * 2, "q": ["Where?"] * 2, "a": ["Rome", "Rome"], "s": ["9" * 5000, "--5"]})
    examples, _ = read_examples(rows, "qa", {**QA, "answer_start": "s"}, DataConfig())
    assert [example.target[0]["start"] for example in examples] == [13, 13]
