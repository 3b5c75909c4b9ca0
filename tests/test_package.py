"""What `pip install .` installs: every file of the app, and the `tunebench` command. Run: python -m pytest tests/test_package.py"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built without a network from a copy of what git knows."""
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    files = _files("engine", "demo", "pyproject.toml", "requirements.txt", "README.md", "LICENSE")
    for name in files:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "--wheel-dir", str(folder), str(source)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


def _files(*paths: str) -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def test_the_wheel_holds_every_file_of_engine_and_demo(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    expected = set(_files("engine", "demo"))
    assert len(expected) > 300
    assert expected <= packed, sorted(expected - packed)
    assert not [name for name in packed if name.startswith(("tests/", "benchmarks/"))]


def test_the_installed_command_runs_the_engine_and_the_page(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    points = ConfigParser()
    points.read(next(tmp_path.glob("*.dist-info")) / "entry_points.txt")
    module, _, function = points["console_scripts"]["tunebench"].partition(":")
    # Only what was installed is importable: the working directory is neither on the path nor the checkout.
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"}
    start = f"import sys; from {module} import {function}; sys.exit({function}())"

    def run(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", start, *arguments],
            cwd=tmp_path, env=environment, check=True, capture_output=True, text=True, timeout=120,
        ).stdout  # fmt: skip

    assert "--share" in run("app", "--help")
    assert "train" in run("--help")
    assert "help-desk" in run("examples")
