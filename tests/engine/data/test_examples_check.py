"""Every embedded data set goes through the data check with nothing but its name, for every task.

Sets that come from a package need it fetched before (they are skipped without).
Run: python -m pytest tests/engine/data/test_examples_check.py
"""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from engine.assets import EXAMPLES, is_cached
from engine.cli import app
from engine.core.settings import Settings
from engine.data.columns import resolve_columns
from engine.data.config import DataConfig
from engine.data.load import read_tables
from engine.tasks import TASKS

pytestmark = pytest.mark.slow


def run(*arguments):
    done = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.output.strip().splitlines()[-1])


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_sound(name):
    example = EXAMPLES[name]
    if not is_cached(name):
        pytest.skip(f"needs {name} (python -m engine.assets {name})")
    result = run("check", "--example", name, "--task", example.task)
    assert result["model"] == example.suggestion
    assert result["rows"]["train"] == example.rows
    assert result["worst"] != "error"
    left_out = {"empty_text", "missing_labels", "answer_not_in_context", "answer_moved", "span_out_of_range"}
    assert not left_out & {finding["code"] for finding in result["findings"]}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_columns_in_the_catalogue_are_those_of_the_file(name):
    """Guessed from the file as from one's own, without the catalogue, they come out as the catalogue says."""
    example = EXAMPLES[name]
    if not is_cached(name):
        pytest.skip(f"needs {name} (python -m engine.assets {name})")
    tables = read_tables(DataConfig(example=name), TASKS[example.task], Settings.from_env())
    assert resolve_columns(tables["train"], TASKS[example.task], {}) == dict(example.columns)


def test_the_list_says_where_each_comes_from_its_licence_and_size():
    listed = {entry["name"]: entry for entry in run("examples")}
    assert set(listed) == set(EXAMPLES)
    for entry in listed.values():
        assert entry["licence"] and entry["bytes"] > 10_000 and entry["rows"] > 50
        assert entry["about"]["en"] and entry["about"]["zh"] != entry["about"]["en"]
    for task in TASKS:
        for language in ("en", "zh"):
            assert any(
                e["task"] == task and language in e["languages"] and "help-desk" in e["name"] for e in listed.values()
            )
