"""Rows of texts and labels as examples. Run: python -m pytest tests/engine/tasks/classification/test_classification_reading.py"""

from __future__ import annotations

import pytest

from engine.core.errors import LabelProblem
from engine.data.config import DataConfig
from engine.data.examples import read_examples
from engine.tasks import TASKS
from tests.engine.data.tables import table

CLASSIFICATION = {"text": "text", "label": "label"}


def targets(labels, **data):
    rows = table({"text": [f"t{i}" for i in range(len(labels))], "label": labels})
    examples, _ = read_examples(rows, TASKS["classification"], CLASSIFICATION, DataConfig(**data))
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
    examples, notices = read_examples(rows, TASKS["classification"], CLASSIFICATION, DataConfig())
    assert [(example.row, example.inputs, example.target) for example in examples] == [(2, {"text": "x"}, "a")]
    assert [(n.code, n.count, [p.row for p in n.rows]) for n in notices] == [
        ("empty_text", 2, [3, 4]),
        ("missing_labels", 1, [5]),
    ]


def test_text_pairs():
    rows = table({"a": ["x"], "b": ["y"], "label": ["z"]})
    examples, _ = read_examples(
        rows, TASKS["classification"], {"text": "a", "text_pair": "b", "label": "label"}, DataConfig()
    )
    assert examples[0].inputs == {"text": "x", "text_pair": "y"}


def test_measurements_are_no_classes():
    with pytest.raises(LabelProblem, match="not classes"):
        targets([i * 0.37 for i in range(50)])


def test_one_label_teaches_nothing():
    rows = table({"text": ["x", "y"], "label": ["a", "a"]})
    examples, _ = read_examples(rows, TASKS["classification"], CLASSIFICATION, DataConfig())
    with pytest.raises(LabelProblem, match="has the label 'a'"):
        TASKS["classification"].require_labels(examples)


@pytest.mark.parametrize(
    "cell", ["[b'x', 1]", "{1, 2}", "[(1, 2), {3}]", "['a', ...]", "{(1, 2): 3}", "[" * 500 + "]" * 500]
)
def test_cells_that_only_python_could_read_stay_text(cell):
    examples, _ = read_examples(
        table({"text": ["x", "y"], "label": [cell, "b"]}), TASKS["classification"], CLASSIFICATION, DataConfig()
    )
    assert examples[0].target == cell
