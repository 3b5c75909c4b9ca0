"""Exceptions of libraries become causes in plain words. Run: python -m pytest tests/engine/test_errors.py"""

from __future__ import annotations

import errno

import pytest

from engine.core.errors import ColumnProblem, explain, is_out_of_memory
from engine.core.text import Text


class OutOfMemoryError(RuntimeError):
    """Named as torch names it."""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "out_of_memory"),
        (OutOfMemoryError("CUDA out of memory"), "out_of_memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "out_of_memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "not_writable"),
        (RuntimeError("shapes do not match"), "unexpected"),
    ],
)
def test_causes(error, code):
    problem = explain(error)
    assert problem.code == code
    assert problem.exit_code == 1
    assert problem.hint is not None


def test_a_user_error_stays_itself():
    problem = ColumnProblem("x", Text("No.", "不。"), Text("Do.", "做。"), column="a")
    assert explain(problem) is problem
    assert problem.in_language("en") == "No. Do."
    assert problem.in_language("zh-CN") == "不。做。"
    assert problem.to_dict()["where"] == {"column": "a"}


def test_other_runtime_errors_are_not_about_memory():
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
