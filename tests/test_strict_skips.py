"""Continuous integration fails on a skip that nobody expects. Run: python -m pytest tests/test_strict_skips.py"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(("reason", "code"), [("needs a GPU", 0), ("nobody knows why", 1)])
def test_a_skip_fails_the_run_unless_it_is_expected(tmp_path: Path, reason: str, code: int) -> None:
    tmp_path.joinpath("test_skipping.py").write_text(
        f"import pytest\n\ndef test_nothing():\n    pytest.skip({reason!r})\n\ndef test_one():\n    pass\n"
    )
    tmp_path.joinpath("conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-skips", str(tmp_path)],
        check=False, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert ("not expected" in done.stdout) == bool(code)
