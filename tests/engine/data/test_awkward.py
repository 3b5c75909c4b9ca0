"""Every awkward file is read correctly or refused with a message that names the place.

Run: python -m pytest tests/engine/data/test_awkward.py
"""

from __future__ import annotations

import pytest

from engine.core.errors import FileProblem
from engine.data.load import read_table
from engine.tasks import TASKS
from tests.engine.data.awkward import CASES, Case

READ = [case for case in CASES if case.code is None]
REFUSED = [case for case in CASES if case.code is not None]


def test_there_are_at_least_forty_and_many_more():
    assert len(CASES) >= 140
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", READ, ids=lambda case: case.id)
def test_read(case: Case, tmp_path):
    path = tmp_path / case.file
    path.write_bytes(case.data)
    table = read_table(path, task=TASKS.get(case.task))
    assert table.columns == case.columns
    assert len(table) == len(table.lines)
    if case.rows is not None:
        assert [tuple(row) for row in table.frame.itertuples(index=False)] == case.rows
    if case.count is not None:
        assert len(table) == case.count
    for fact in ("encoding", "delimiter", "format"):
        expected = getattr(case, fact)
        if expected is not None:
            assert getattr(table.source, fact) == expected
    assert len(table.source.sha256) == 64


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_refused(case: Case, tmp_path):
    path = tmp_path / case.file
    path.write_bytes(case.data)
    with pytest.raises(FileProblem) as caught:
        read_table(path, task=TASKS.get(case.task))
    problem = caught.value
    assert problem.code == case.code
    assert problem.where["file"] in (case.file, case.file.removesuffix(".gz"), "a.csv")
    assert problem.where["file"] in problem.message.en or "where" not in problem.message.en
    if case.row is not None:
        assert problem.where["row"] == case.row
    if case.column is not None:
        assert problem.where["column"] == case.column
    assert problem.message.zh != problem.message.en
