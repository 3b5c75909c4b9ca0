"""Two processes under accelerate learn what one learns, and one of them writes. Run: python -m pytest tests/engine/training/test_process_group.py"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.config import RunConfig
from engine.report.files import load_report
from engine.run_directory.store import Run, Store
from engine.runs.api import train
from engine.schema import IGNORED, Feature
from engine.training.process_group import ProcessGroup

ROOT = Path(__file__).resolve().parents[3]


def describe(table: Path, model: Path, **values: object) -> RunConfig:
    training = {"epochs": 3, "learning_rate": 3e-3, "batch_size": 15, "precision": "fp32", "early_stopping": 0}
    return RunConfig.from_dict(
        {
            "data": {"train": str(table)},
            "model": {"id": str(model)},
            "training": {**training, **values.pop("training", {})},
            "evaluation": {"bootstrap_samples": 200},
            **values,
        }
    )


def launch(run: Run) -> subprocess.Popen:
    command = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", "--num_machines", "1",
               "--mixed_precision", "no", "--dynamo_backend", "no", "-m", "engine.training.worker", str(run.directory)]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with run.path("train.log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)


def evaluations(run: Run) -> list[dict]:
    return [event for event in run.events()[0] if event["type"] == "evaluation"]


@pytest.mark.training
@pytest.mark.parametrize("method", ["full", "lora"])
def test_two_processes_give_the_result_of_one(method: str, tiny_bert: Path, sentences: Path, runs_dir: Path) -> None:
    """A batch of 15 does not split evenly, and the last of each epoch is shorter still."""
    config = describe(sentences, tiny_bert, method={"name": method})
    alone = train(config)
    together = Store(runs_dir).create(config)
    assert launch(together).wait(200) == 0, together.log_tail()
    assert together.state == "completed"
    ours, theirs = evaluations(alone), evaluations(together)
    assert [e["step"] for e in ours] == [e["step"] for e in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert other["loss"] == pytest.approx(one["loss"], abs=2e-4)
        assert other["train_loss"] == pytest.approx(one["train_loss"], abs=2e-4)
        assert other["metrics"] == pytest.approx(one["metrics"], abs=0.03)
    first, second = (load_report(run.path("report")) for run in (alone, together))
    assert second["headline"]["value"] == pytest.approx(first["headline"]["value"], abs=0.03)
    assert second["run"]["data_sha256"] == first["run"]["data_sha256"]
    # One process wrote: no event is there twice, and there is one end.
    kinds = [event["type"] for event in together.events()[0]]
    assert kinds.count("facts") == 1
    states = [event["state"] for event in together.events()[0] if event["type"] == "state"]
    assert states == ["running", "completed"]
    phases = [event["phase"] for event in together.events()[0] if event["type"] == "phase"]
    assert phases == ["data", "model", "encode", "train", "save", "evaluate", "report"]


@pytest.mark.training
def test_a_request_ends_both_and_the_best_is_kept(tiny_bert: Path, sentences: Path, runs_dir: Path) -> None:
    run = Store(runs_dir).create(describe(sentences, tiny_bert, training={"epochs": 900}))
    both = launch(run)
    deadline = time.monotonic() + 120
    while not evaluations(run):
        assert time.monotonic() < deadline and both.poll() is None, run.log_tail()
        time.sleep(0.2)
    run.request("keep")
    assert both.wait(120) == 0, run.log_tail()
    assert run.state == "completed" and load_report(run.path("report"))["run"]["stopped_by_owner"] is True


@pytest.mark.training
def test_wrong_input_ends_both_with_its_cause(tiny_bert: Path, sentences: Path, runs_dir: Path) -> None:
    run = Store(runs_dir).create(describe(sentences.with_name("none.csv"), tiny_bert))
    assert launch(run).wait(120) != 0
    assert run.state == "failed" and "none.csv" in run.manifest.error["message"]["en"]


def test_shards_are_disjoint_whole_and_weighed() -> None:
    features = [Feature(i, list(range(i + 1)), token_targets=[IGNORED] + [1] * i) for i in range(5)]
    for by_tokens in (False, True):
        shards = [ProcessGroup(rank, 2).shard(features, by_tokens) for rank in range(2)]
        assert sorted(f.example for shard in shards for f in shard.features) == list(range(5))
        assert sum(shard.weight for shard in shards) == pytest.approx(2), "their mean is the batch's"
    assert [ProcessGroup(rank, 2).shard(features, False).weight for rank in range(2)] == pytest.approx([6 / 5, 4 / 5])
    assert [ProcessGroup(rank, 2).shard(features, True).weight for rank in range(2)] == pytest.approx(
        [2 * 6 / 10, 2 * 4 / 10]
    )
    alone = ProcessGroup(1, 2).shard(features[:1], False)
    assert alone.weight == 0 and len(alone.features) == 1
    assert ProcessGroup().shard(features, False).weight == 1
