"""Rows of documents and summaries as examples. Run: python -m pytest tests/engine/tasks/summarization/test_summarization_reading.py"""

from __future__ import annotations

from engine.data.config import DataConfig
from engine.data.examples import read_examples
from engine.tasks import TASKS
from tests.engine.data.tables import table


def test_summaries_and_dialogue_turns():
    rows = table({"d": ["long text", ["A: hi", "B: yo"], ""], "s": ["short", ["one", "two"], "x"]})
    examples, notices = read_examples(rows, TASKS["summarization"], {"document": "d", "summary": "s"}, DataConfig())
    assert [(e.inputs["document"], e.target) for e in examples] == [
        ("long text", ("short",)),
        ("A: hi\nB: yo", ("one", "two")),
    ]
    assert [n.code for n in notices] == ["empty_text"]
