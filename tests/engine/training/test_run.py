"""Whole runs in their own process, on a tiny random model: how they go, and how they end.

Run: python -m pytest tests/engine/training/test_run.py
"""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from engine.config import RunConfig
from engine.core.errors import UserError
from engine.inference.predictor import load_predictor
from engine.models.device import choose_device
from engine.report.files import load_report
from engine.run_directory.store import Run, Store
from engine.runs.api import train
from engine.runs.process import start


def describe(table, model, **values) -> RunConfig:
    training = {"epochs": 10, "learning_rate": 3e-3, "batch_size": 16, "precision": "fp32", "early_stopping": 0}
    return RunConfig.from_dict(
        {
            "data": {"train": str(table), **values.pop("data", {})},
            "model": {"id": str(model)},
            "training": {**training, **values.pop("training", {})},
            "evaluation": {"bootstrap_samples": 200},
            **values,
        }
    )


def wait_until(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def kinds(run: Run) -> list[str]:
    return [event["type"] for event in run.events()[0]]


def stepping(run: Run) -> bool:
    return "step" in kinds(run)


@pytest.mark.training
def test_a_run_learns_reports_and_answers(tiny_bert, sentences, runs_dir):
    received: list[dict] = []
    run = train(describe(sentences, tiny_bert), show=received.append)

    assert run.state == "completed"
    phases = [event["phase"] for event in received if event["type"] == "phase"]
    assert phases == ["data", "model", "encode", "train", "save", "evaluate", "report"]
    assert received == run.events()[0]
    steps = [event for event in received if event["type"] == "step"]
    assert steps[-1]["step"] == steps[-1]["total_steps"]
    assert all(event["examples_per_second"] > 0 and event["loss"] > 0 for event in steps)
    evaluations = [event for event in received if event["type"] == "evaluation"]
    assert len(evaluations) == 10
    assert evaluations[-1]["loss"] < evaluations[0]["loss"]

    report = load_report(run.path("report"))
    assert report["test"]["accuracy"] >= 0.9, "the words give the label away; a model that trains must find them"
    assert report["headline"]["low"] <= report["test"]["accuracy"] <= report["headline"]["high"]
    assert set(report["baselines"]) == {"majority", "tfidf_logreg", "untuned"}
    assert run.manifest.headline["value"] == report["headline"]["value"]
    facts = run.manifest.facts
    assert facts["columns"] == {"text": "review", "label": "verdict"}
    assert sum(facts["rows"].values()) == 240
    assert facts["reload_difference"] < 1e-3
    assert "word embeddings frozen" in facts["means"]["en"] and "few passes" in facts["means"]["en"]

    rows = [json.loads(line) for line in run.path("report", "predictions.jsonl").read_text().splitlines()]
    assert len(rows) == facts["rows"]["test"]
    predictor = load_predictor(run.directory, choose_device("cpu", "fp32"))
    answers = predictor.predict([row["inputs"]["text"] for row in rows])
    assert [a["label"] for a in answers] == [row["prediction"] for row in rows]
    assert max(abs(a["confidence"] - row["confidence"]) for a, row in zip(answers, rows, strict=True)) < 1e-3
    assert predictor.predict(["good film"])[0]["label"] == "positive"
    base = predictor.predict(["good film"], base=True)[0]
    assert base["probabilities"] != predictor.predict(["good film"])[0]["probabilities"]
    # Nothing that could run code when read lies outside checkpoints/.
    assert not [p for p in run.directory.rglob("*") if p.suffix in (".bin", ".pt", ".pkl")]


@pytest.mark.training
def test_the_same_seed_gives_the_same_model(tiny_bert, sentences, runs_dir):
    short = {"training": {"epochs": 1}}
    first, again, other = (train(describe(sentences, tiny_bert, seed=seed, **short)) for seed in (5, 5, 6))
    loss = {run.id: [e["loss"] for e in run.events()[0] if e["type"] == "evaluation"] for run in (first, again, other)}
    assert loss[first.id] == loss[again.id]
    assert loss[first.id] != loss[other.id]
    assert (
        first.manifest.facts["data_sha256"]
        == again.manifest.facts["data_sha256"]
        != other.manifest.facts["data_sha256"]
    )


@pytest.mark.training
def test_a_run_that_is_short_of_time_makes_fewer_passes_and_says_so(tiny_bert, sentences, runs_dir, monkeypatch):
    from engine.core.settings import Settings
    from engine.training.context import RunContext
    from engine.training.events import EventLog
    from engine.training.pipeline import run_pipeline

    # In this process, and with nothing set aside: how long imports and the report take here does not matter then.
    monkeypatch.setattr("engine.training.fit.RESERVED_SECONDS", 0.0)
    monkeypatch.setattr("engine.training.forecast.Workload.report_cost", 0.0)
    learning = {"epochs": 1000, "minutes": 0.2, "warmup": 0.0}
    run = Store(runs_dir).create(describe(sentences, tiny_bert, training=learning))
    log = EventLog(run.path("events.jsonl"))
    run_pipeline(RunContext(run, log, Settings.from_env(runs_dir=runs_dir)))
    events = run.events()[0]
    steps = [event for event in events if event["type"] == "step"]
    assert steps[-1]["step"] == steps[-1]["total_steps"] < steps[0]["total_steps"]
    assert [event for event in events if event["type"] == "evaluation"][-1]["step"] == steps[-1]["step"]
    # Of all updates only a small part was made: at the step itself the rate would have stayed near its peak.
    assert steps[-1]["step"] < 0.9 * steps[0]["total_steps"]
    assert steps[-1]["learning_rate"] < 0.05 * steps[0]["learning_rate"]
    assert [event["code"] for event in events if event["type"] == "notice"].count("fitted") == 1
    report = load_report(run.path("report"))
    assert report["run"]["epochs_fitted"] == pytest.approx(steps[-1]["epoch"], abs=0.2)
    assert "short_of_time" in [point["kind"] for point in report["verdict"]["points"]]
    assert "epochs planned 1000" in run.path("report", "report.md").read_text(encoding="utf-8")


@pytest.mark.training
def test_stop_and_keep_the_best(tiny_bert, sentences, runs_dir):
    run = Store(runs_dir).create(describe(sentences, tiny_bert, training={"epochs": 500, "learning_rate": 1e-3}))
    worker = start(run)
    wait_until(lambda: "evaluation" in kinds(run))
    run.request("keep")
    assert worker.wait(60) == 0
    assert run.state == "completed"
    report = load_report(run.path("report"))
    assert report["run"]["stopped_by_owner"] is True
    last = [e for e in run.events()[0] if e["type"] == "step"][-1]
    assert last["step"] < last["total_steps"]
    evaluations = [event for event in run.events()[0] if event["type"] == "evaluation"]
    best = max(evaluations, key=lambda event: (event["metrics"]["accuracy"], -event["loss"]))
    assert report["run"]["best_step"] == best["step"]


@pytest.mark.training
def test_stop_and_discard(tiny_bert, sentences, runs_dir):
    run = Store(runs_dir).create(describe(sentences, tiny_bert, training={"epochs": 500}))
    worker = start(run)
    wait_until(lambda: stepping(run))
    run.request("discard")
    assert worker.wait(60) == 0
    assert run.state == "stopped"
    assert not run.path("report").exists()


@pytest.mark.training
def test_a_killed_worker_leaves_an_interrupted_run(tiny_bert, sentences, runs_dir):
    run = Store(runs_dir).create(describe(sentences, tiny_bert, training={"epochs": 500}))
    worker = start(run)
    wait_until(lambda: stepping(run))
    assert run.state == "running"
    os.kill(worker.pid, signal.SIGKILL)
    wait_until(lambda: run.state == "interrupted", seconds=15)
    worker.wait()


@pytest.mark.training
def test_the_worker_outlives_the_one_who_started_it(tiny_bert, sentences, runs_dir):
    """The starter is a process of its own that is killed, with its whole process group, once training goes on."""
    import subprocess
    import sys

    run = Store(runs_dir).create(describe(sentences, tiny_bert, training={"epochs": 40, "learning_rate": 1e-3}))
    code = (
        "import sys, time; from pathlib import Path; from engine.runs.process import start; from engine.run_directory.store import Run;"
        f"start(Run(Path({str(run.directory)!r}))); time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    wait_until(lambda: stepping(run))
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    wait_until(lambda: run.state == "completed", seconds=90)


@pytest.mark.training
def test_a_learning_rate_that_blows_up_is_explained(tiny_bert, sentences, runs_dir):
    config = describe(
        sentences,
        tiny_bert,
        training={"epochs": 30, "learning_rate": 10.0, "max_grad_norm": 1000.0, "warmup": 0.0, "weight_decay": 1.0},
    )
    with pytest.raises(UserError) as caught:
        train(config)
    assert caught.value.code == "diverged"
    assert caught.value.exit_code == 1
    assert "learning rate" in caught.value.message.en
    [run] = Store(runs_dir)
    assert run.state == "failed"


def test_wrong_input_fails_with_a_cause_and_leaves_no_living_run(tiny_bert, sentences, runs_dir, tmp_path):
    with pytest.raises(UserError) as caught:
        train(describe(sentences, tiny_bert, data={"columns": {"text": "reviw"}}))
    assert caught.value.code == "missing_column"
    assert "review" in str(caught.value) and caught.value.exit_code == 2

    one = tmp_path / "one.csv"
    one.write_text("text,label\n" + "".join(f"sentence number {i},same\n" for i in range(30)))
    with pytest.raises(UserError) as caught:
        train(describe(one, tiny_bert))
    assert "same" in str(caught.value) and caught.value.exit_code == 2

    with pytest.raises(UserError) as caught:
        train(describe(tmp_path / "none.csv", tiny_bert))
    assert "none.csv" in str(caught.value) and caught.value.exit_code == 2
    assert {run.state for run in Store(runs_dir)} == {"failed"}


@pytest.mark.training
def test_memory_that_runs_out_is_retried_once_at_half_the_batch(tiny_bert, sentences, runs_dir, monkeypatch):
    """In process, with an allocator that fails for batches over eight."""
    from engine.core.settings import Settings
    from engine.training import trainer
    from engine.training.context import RunContext
    from engine.training.events import EventLog
    from engine.training.pipeline import run_pipeline

    real = trainer.FineTuner.compute_loss

    def allocate(self, model, inputs, *args, **kwargs):
        if len(inputs["labels"]) > 8:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")
        return real(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(trainer.FineTuner, "compute_loss", allocate)
    run = Store(runs_dir).create(describe(sentences, tiny_bert, training={"epochs": 2}))
    events = EventLog(run.path("events.jsonl"))
    run_pipeline(RunContext(run, events, Settings.from_env()))
    notices = [e for e in run.events()[0] if e["type"] == "notice" and e["code"] == "smaller_batch"]
    assert len(notices) == 1
    assert "8" in notices[0]["message"]["en"]

    def never(self, model, inputs, *args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(trainer.FineTuner, "compute_loss", never)
    failing = Store(runs_dir).create(describe(sentences, tiny_bert))
    with pytest.raises(MemoryError):
        run_pipeline(RunContext(failing, EventLog(failing.path("events.jsonl")), Settings.from_env()))


@pytest.mark.training
@pytest.mark.parametrize("kind", ["multi_label", "pairs"])
def test_several_labels_and_pairs_of_texts(kind, tiny_bert, runs_dir, tmp_path):
    table = tmp_path / "table.jsonl"
    lines = []
    words = ["the", "a", "was", "is", "very", "film", "cast", "it", "and", "but", "not", "terrible"]
    for i in range(160):
        good, music = i % 2 == 0, i % 3 == 0
        filler = " ".join(words[(i * 7 + j * 5) % len(words)] for j in range(2 + i % 5))
        text = (
            f"{filler} {'good' if good else 'bad'} {'music' if music else 'plot'} {words[i % 12]} {words[i // 12 % 12]}"
        )
        if kind == "multi_label":
            lines.append({"text": text, "labels": (["praise"] if good else []) + (["sound"] if music else ["story"])})
        else:
            lines.append(
                {
                    "premise": text,
                    "hypothesis": "good film" if i % 4 < 2 else "bad film",
                    "label": "same" if good == (i % 4 < 2) else "other",
                }
            )
    table.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    run = train(describe(table, tiny_bert, training={"epochs": 25}))
    report = load_report(run.path("report"))
    predictor = load_predictor(run.directory)
    if kind == "multi_label":
        assert report["multi_label"] is True
        assert report["test"]["micro_f1"] >= 0.9
        rows = [json.loads(line) for line in run.path("report", "predictions.jsonl").read_text().splitlines()]
        both = next(row for row in rows if sorted(row["target"]) == sorted(row["prediction"]) == ["praise", "sound"])
        answer = predictor.predict([both["inputs"]["text"]])[0]
        assert sorted(answer["labels"]) == ["praise", "sound"]
        # Independent yes-or-no answers, not shares of one.
        assert sum(answer["probabilities"].values()) > 1.2
    else:
        assert run.manifest.facts["columns"] == {"text": "premise", "text_pair": "hypothesis", "label": "label"}
        answer = predictor.predict([{"text": "a good plot", "text_pair": "good film"}])[0]
        assert set(answer["probabilities"]) == {"same", "other"}
        with pytest.raises(UserError):
            predictor.predict([{"text_pair": "only the second"}])


def test_long_texts_are_read_whole(tiny_bert, sentences, runs_dir):
    """A word that decides, far beyond the maximum length, is seen through the windows."""
    run = train(describe(sentences, tiny_bert, training={"epochs": 6}))
    predictor = load_predictor(run.directory)
    far = predictor.predict([("the film " * 100) + "awful awful awful awful awful awful awful awful"])[0]
    assert far["windows"] > 3
    plain = predictor.predict(["the film " * 100])[0]
    assert far["probabilities"]["negative"] > plain["probabilities"]["negative"] + 0.02
