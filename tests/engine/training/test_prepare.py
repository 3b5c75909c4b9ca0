"""What a run takes of a large example. Run: python -m pytest tests/engine/training/test_prepare.py"""

from __future__ import annotations

from engine.assets import EXAMPLES
from engine.config import RunConfig
from engine.schema import Example
from engine.training.prepare import sample_of_example

ROWS = [Example(number, {"text": "x" * (number % 100)}, ()) for number in range(5000)]


def described(**data) -> RunConfig:
    return RunConfig.from_dict({"task": "ner", "data": data})


def test_a_large_example_is_sampled_and_that_is_said():
    wanted, (low, high) = EXAMPLES["peoples-daily-ner"].sample, EXAMPLES["peoples-daily-ner"].sampled_lengths
    rows, (notice,) = sample_of_example(ROWS, described(example="peoples-daily-ner"))
    assert len(rows) == wanted and len({row.row for row in rows}) == wanted
    assert all(low <= len(row.inputs["text"]) <= high for row in rows)
    assert f"{low} to {high} characters" in notice.message.en
    assert notice.code == "example_sampled" and "5,000" in notice.message.en and "5,000" in notice.message.zh
    assert sample_of_example(ROWS, described(example="peoples-daily-ner"))[0] == rows


def test_who_says_how_many_rows_gets_them_and_own_tables_are_never_sampled():
    asked = described(example="peoples-daily-ner", max_train_rows=3000)
    assert sample_of_example(ROWS, asked) == (ROWS, [])
    assert sample_of_example(ROWS, described(train="mine.csv")) == (ROWS, [])
    assert sample_of_example(ROWS[:100], described(example="peoples-daily-ner")) == (ROWS[:100], [])
    assert sample_of_example(ROWS, described(example="help-desk-entities-en")) == (ROWS, [])
