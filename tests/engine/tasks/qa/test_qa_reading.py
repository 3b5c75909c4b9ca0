"""Rows of questions and answers as examples. Run: python -m pytest tests/engine/tasks/qa/test_qa_reading.py"""

from __future__ import annotations

import pytest

from engine.data.config import DataConfig
from engine.data.examples import read_examples
from engine.tasks import TASKS
from tests.engine.data.tables import table

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
    examples, notices = read_examples(rows, TASKS["qa"], QA, DataConfig())
    assert [(answer["text"], answer["start"]) for answer in examples[0].target] == target
    assert examples[0].inputs == {"context": CONTEXT, "question": "Where?", "id": "x1"}
    assert notices == []


def test_answers_that_moved_or_are_lost():
    rows = table({"c": [CONTEXT] * 3, "q": ["Where?"] * 3, "a": ["Rome", "Paris", "Rome"], "s": [30, 0, "13"]})
    examples, notices = read_examples(rows, TASKS["qa"], {**QA, "answer_start": "s"}, DataConfig())
    assert [example.target[0]["start"] for example in examples] == [32, 13]
    assert {n.code: (n.count, n.rows[0].row) for n in notices} == {
        "answer_moved": (1, 2),
        "answer_not_in_context": (1, 3),
    }


def test_numbers_beyond_measure_do_no_harm():
    rows = table({"c": [CONTEXT] * 2, "q": ["Where?"] * 2, "a": ["Rome", "Rome"], "s": ["9" * 5000, "--5"]})
    examples, _ = read_examples(rows, TASKS["qa"], {**QA, "answer_start": "s"}, DataConfig())
    assert [example.target[0]["start"] for example in examples] == [13, 13]
