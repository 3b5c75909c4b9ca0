"""Rows of a mapped table as examples: what is refused for any task. Run: python -m pytest tests/engine/data/test_examples.py"""

from __future__ import annotations

import pytest

from engine.core.errors import ColumnProblem, FileProblem
from engine.data.config import DataConfig
from engine.data.examples import read_examples
from engine.tasks import TASKS
from tests.engine.data.tables import table

CLASSIFICATION = {"text": "text", "label": "label"}


def test_nothing_usable_is_refused_with_the_first_place():
    with pytest.raises(FileProblem) as caught:
        read_examples(table({"text": ["x"], "label": [None]}), TASKS["classification"], CLASSIFICATION, DataConfig())
    assert (caught.value.code, caught.value.where["row"], caught.value.where["column"]) == (
        "no_usable_rows",
        2,
        "label",
    )


def test_a_column_that_is_gone_is_named():
    with pytest.raises(ColumnProblem, match="no column 'text'"):
        read_examples(table({"body": ["x"], "label": ["y"]}), TASKS["classification"], CLASSIFICATION, DataConfig())
