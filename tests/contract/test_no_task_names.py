"""Only the tasks themselves, the catalogues and the tabs name a task. Run: python -m pytest tests/contract/test_no_task_names.py"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.tasks import TASKS

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(rf'"({"|".join(TASKS)})"|WRITING')


def allowed(path: str) -> bool:
    return path.startswith(("engine/tasks/", "demo/tabs/")) or "catalog" in path.rpartition("/")[2]


@pytest.mark.parametrize("package", ["engine", "demo"])
def test_no_module_names_a_task(package: str) -> None:
    """Every line of every file is searched, comments and docstrings too."""
    result = []
    for path in sorted(ROOT.joinpath(package).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        lines = path.read_text(encoding="utf-8").splitlines()
        result += [f"{name}:{number}: {line.strip()}" for number, line in enumerate(lines, 1) if NAMED.search(line)]
    assert result, "the pattern finds nothing at all"
    assert [line for line in result if not allowed(line.partition(":")[0])] == []


def test_the_toy_task_is_named_in_tests_alone() -> None:
    for path in (*ROOT.joinpath("engine").rglob("*.py"), *ROOT.joinpath("demo").rglob("*.py")):
        assert "tests.contract" not in path.read_text(encoding="utf-8"), path
