"""Runs that an older version made are opened, answer, leave and go on with this one. Run: python -m pytest tests/engine/runs/test_old_runs.py

tests/fixtures/runs holds one finished and one interrupted run of each task, on one tiny model, and what that version answered (how they
were made: tests/fixtures/make_runs.py). Knows the layout of these zips. Does not know the version that made them.
"""

from __future__ import annotations

import html
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from demo.live import History
from demo.parts import report_view
from engine.core.settings import Settings
from engine.evaluation.predictions import read_predictions
from engine.export.package import make_zip
from engine.inference.predictor import load_predictor
from engine.report.files import load_report, render_html, render_markdown
from engine.run_directory.store import Run, Store, open_run
from engine.runs.launch import resumable, resume
from engine.runs.process import follow

ZIPS = Path(__file__).parents[2] / "fixtures" / "runs"
HERE = "@HERE@"  # in the texts of a zip: the folder that it is unpacked into
NEAR = 1e-4  # in probabilities: another machine adds in another order
# What follows a run's own answer in an order that near ties decide.
BESIDE = ("nbest", "alternatives", "best")


@dataclass
class Old:
    """One unpacked zip."""

    task: str
    folder: Path

    @cached_property
    def expected(self) -> dict[str, Any]:
        return json.loads(self.folder.joinpath("expected.json").read_text(encoding="utf-8"))

    @property
    def rows(self) -> list[dict[str, str]]:
        return self.expected["rows"]

    @property
    def store(self) -> Store:
        return Store(self.folder / "runs")

    @property
    def finished(self) -> Run:
        return self.store.get(self.expected["finished"])

    @property
    def interrupted(self) -> Run:
        return self.store.get(self.expected["interrupted"])


@pytest.fixture(params=["classification", "ner", "qa", "summarization"])
def old(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Old:
    """The runs of a task, at home in a new folder."""
    folder = tmp_path / "old"
    with zipfile.ZipFile(ZIPS / f"{request.param}.zip") as archive:
        archive.extractall(folder)
    for path in (result for result in folder.rglob("*") if result.is_file()):
        content = path.read_bytes()
        if HERE.encode() in content:
            path.write_bytes(content.replace(HERE.encode(), str(folder).encode()))
    monkeypatch.setenv("TUNEBENCH_RUNS", str(folder / "runs"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return Old(request.param, folder)


def assert_same(ours: Any, theirs: Any, near: float = NEAR) -> None:
    """The same words at the same places, numbers within reach."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key in ours.keys() - set(BESIDE):
            assert_same(ours[key], theirs[key], near)
    elif isinstance(ours, list) and isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b, near)
    elif isinstance(ours, float) and isinstance(theirs, int | float):
        assert ours == pytest.approx(theirs, abs=near, rel=near)
    else:
        assert ours == theirs


def sentences(report: dict[str, Any]) -> dict[str, str]:
    """The verdict by the page's languages."""
    output = report["verdict"]["sentence"]
    return {"en": output["en"], "zh-CN": output["zh"]}


def test_it_opens(old: Old) -> None:
    assert [run.id for run in old.store] == [old.interrupted.id, old.finished.id]
    run = open_run(old.finished.directory)
    assert (run.state, old.interrupted.state) == ("completed", "interrupted")
    assert resumable(old.interrupted) and not resumable(run)
    assert run.config.task == run.manifest.task == old.task
    assert run.config.model.id == run.manifest.model == str(old.folder / "base")
    assert run.config == old.interrupted.config and run.manifest.facts["seed"] == run.config.seed == 7
    report = load_report(run.path("report"))
    assert run.manifest.headline["value"] == report["headline"]["value"]
    assert len(list(read_predictions(run.path("report")))) == report["headline"]["rows"]
    for language, sentence in sentences(report).items():
        assert sentence in html.unescape(render_markdown(report, language).replace("\\", ""))
        assert sentence in html.unescape(render_html(report, language))


def test_the_page_shows_it(old: Old) -> None:
    report = load_report(old.finished.path("report"))
    for language, sentence in sentences(report).items():
        above, clickable, below = report_view.report_html(report, language)
        assert sentence in html.unescape(above)
        assert "data-pick" not in above + below
        assert 'data-section="run"' in above + clickable + below
    history = History()
    history.advance(old.finished.events()[0])
    last = report["run"]["history"][-1]
    assert (
        history.step
        and history.step["step"] == last["step"]
        and len(history.evaluations) == len(report["run"]["history"])
    )
    assert history.loss.points and history.phase == "report" and history.facts["seed"] == 7


@pytest.mark.training
def test_it_answers_as_it_did(old: Old) -> None:
    predictor = load_predictor(old.finished.directory)
    assert_same(predictor.predict(old.rows), old.expected["answers"])
    assert predictor.knows_base
    assert_same(predictor.predict(old.rows, base=True), old.expected["untuned"])


@pytest.mark.training
def test_what_leaves_with_it_answers_as_it_did(old: Old, tmp_path: Path) -> None:
    with zipfile.ZipFile(make_zip(old.finished, tmp_path / "out.zip")) as archive:
        archive.extractall(tmp_path / "elsewhere")
    [folder] = (tmp_path / "elsewhere").iterdir()
    table = tmp_path / "rows.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in old.rows), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "predict.py", "--file", str(table)],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    output = [json.loads(line) for line in done.stdout.splitlines()]
    output = [{key: value for key, value in answer.items() if key not in old.rows[0]} for answer in output]
    assert_same(output, old.expected["answers"])


@pytest.mark.training
def test_it_goes_on_to_where_the_other_one_ended(old: Old) -> None:
    run, whole = old.interrupted, load_report(old.finished.path("report"))
    worker = resume(run, old.store, Settings.from_env())
    assert follow(run, worker, lambda event: None) == "completed", run.log_tail()
    events = run.events()[0]
    assert [event["step"] for event in events if event["type"] == "resumed"] == [old.expected["checkpoint"]]
    assert not [event for event in events if event["type"] == "notice" and event["code"] == "broken_checkpoint"]
    assert run.manifest.attempt == 2 and not resumable(run) and not run.path("checkpoints").exists()
    report = load_report(run.path("report"))
    # Where this machine adds in another order, the updates after the checkpoint drift apart a little.
    assert_same(report["run"]["history"], whole["run"]["history"], 1e-3)
    assert_same(report["test"], whole["test"], 1e-3)
    assert_same(load_predictor(run.directory).predict(old.rows), old.expected["answers"], 1e-2)
