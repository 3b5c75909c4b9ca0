"""The stages of a run, and where it can end. Run: python -m pytest tests/engine/training/test_pipeline.py"""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import pytest

from engine.config import RunConfig
from engine.core.errors import FileProblem, ModelProblem
from engine.core.settings import Settings
from engine.run_directory.store import Run, Store
from engine.training.context import RunContext
from engine.training.events import EventLog
from engine.training.pipeline import PipelineResults, Stage, run_pipeline
from engine.training.stopping import StopRequested


def new_run(runs_dir: Path, table: Path, model: Path, **data: str) -> Run:
    described = {
        "data": {"train": str(table), **data},
        "model": {"id": str(model)},
        "training": {"epochs": 2, "learning_rate": 3e-3, "batch_size": 16, "precision": "fp32"},
        "evaluation": {"bootstrap_samples": 100},
    }
    return Store(runs_dir).create(RunConfig.from_dict(described))


def carry_out(run: Run, until: Stage = Stage.REPORT) -> PipelineResults:
    events = EventLog(run.path("events.jsonl"))
    try:
        return run_pipeline(RunContext(run, events, Settings.from_env(runs_dir=run.directory.parent)), until)
    finally:
        events.close()


def phases(run: Run) -> list[str]:
    return [event["phase"] for event in run.events()[0] if event["type"] == "phase"]


def losses(results: PipelineResults) -> list[float]:
    assert results.trained is not None
    return [point["loss"] for point in results.trained.progress.evaluations]


def forbid_opening(monkeypatch: pytest.MonkeyPatch, poisoned: Path) -> None:
    """Whoever opens this file, fails."""
    opened = Path.open

    def guarded(self: Path, *args, **kwargs):
        assert self.resolve() != poisoned.resolve(), f"{poisoned.name} was opened"
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", guarded)


def test_the_data_stage_alone_needs_no_model(sentences, runs_dir, tmp_path):
    run = new_run(runs_dir, sentences, tmp_path / "no-model")
    results = carry_out(run, Stage.DATA)
    assert results.loaded is None and results.trained is None
    assert results.data.splits.train and results.data.splits.validation
    assert results.data.splits.test == [], "no stage that follows would use them"
    assert phases(run) == ["data"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        results.data.facts = {}


def test_a_test_file_that_is_not_read_changes_no_other_row(sentences, runs_dir, tmp_path, monkeypatch):
    rows = list(csv.reader(sentences.open(encoding="utf-8")))
    held_out = tmp_path / "held-out.csv"
    with held_out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([rows[0], *rows[-40:]])
    whole = carry_out(new_run(runs_dir, sentences, tmp_path, test=str(held_out)), Stage.DATA).data
    forbid_opening(monkeypatch, held_out)
    unread = new_run(runs_dir, sentences, tmp_path, test=str(held_out))
    data = carry_out(unread, Stage.DATA).data
    assert (data.splits.train, data.splits.validation) == (whole.splits.train, whole.splits.validation)
    assert len(data.splits.train) + len(data.splits.validation) == len(rows) - 1, "none was set apart instead"
    again = carry_out(unread, Stage.DATA).data
    assert again == data, "as recorded"
    # A run that goes on to its evaluation has not got them yet, and reads them.
    with pytest.raises(AssertionError, match=r"held-out\.csv was opened"):
        carry_out(unread)


def test_a_test_file_that_cannot_be_read_fails_only_who_needs_it(sentences, runs_dir, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b"\x00\xff\x00poison")
    run = new_run(runs_dir, sentences, tmp_path, test=str(broken))
    assert carry_out(run, Stage.DATA).data.splits.train
    with pytest.raises(FileProblem):
        carry_out(run)


def test_recorded_test_rows_that_were_changed_are_read_anew(sentences, runs_dir, tmp_path):
    run = new_run(runs_dir, sentences, tmp_path)
    first = carry_out(run, Stage.DATA).data
    kept = run.path("data", "test.jsonl").read_bytes()
    run.path("data", "test.jsonl").write_bytes(b"poison")
    assert carry_out(run, Stage.DATA).data == first
    assert run.path("data", "test.jsonl").read_bytes() == b"poison", "not even looked at"
    with pytest.raises(ModelProblem):  # after the data stage
        carry_out(run)
    assert run.path("data", "test.jsonl").read_bytes() == kept


def test_data_recorded_by_an_older_version_is_still_taken(sentences, runs_dir, tmp_path):
    run = new_run(runs_dir, sentences, tmp_path)
    first = carry_out(run, Stage.DATA).data
    path = run.path("data", "prepared.json")
    values = json.loads(path.read_text(encoding="utf-8"))
    del values["sha256"]
    path.write_text(json.dumps(values), encoding="utf-8")
    sentences_gone = dataclasses.replace(run.config.data, train=str(tmp_path / "gone.csv"))
    run.path("config.yaml").write_text(dataclasses.replace(run.config, data=sentences_gone).to_yaml(), encoding="utf-8")
    assert carry_out(run, Stage.DATA).data.splits == first.splits


def test_a_discarded_run_ends_with_the_stage(sentences, runs_dir, tmp_path):
    run = new_run(runs_dir, sentences, tmp_path)
    run.request("discard")
    with pytest.raises(StopRequested):
        carry_out(run)


@pytest.mark.training
def test_a_run_up_to_its_weights_reads_no_test_row_and_learns_the_same(tiny_bert, sentences, runs_dir, monkeypatch):
    whole = new_run(runs_dir, sentences, tiny_bert)
    complete = carry_out(whole)
    assert complete.report is not None and complete.evaluation is not None
    assert phases(whole) == ["data", "model", "encode", "train", "save", "evaluate", "report"]
    assert list(complete.report["run"]["seconds"]) == phases(whole)

    trial = new_run(runs_dir, sentences, tiny_bert)
    carry_out(trial, Stage.DATA)  # as a study would, which gives its trials the same rows
    poisoned = trial.path("data", "test.jsonl")
    poisoned.write_bytes(b"\x00 poison")
    forbid_opening(monkeypatch, poisoned)
    results = carry_out(trial, Stage.TRAIN)
    assert losses(results) == losses(complete)
    assert results.saved is None and not trial.path("model").exists() and not trial.path("report").exists()
    assert phases(trial) == ["data", "data", "model", "encode", "train"]
    assert results.trained is not None and results.trained.progress.best_value > 0
