"""A run that was interrupted ends where an uninterrupted one does. Run: python -m pytest tests/engine/training/test_resume.py"""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.config import RunConfig
from engine.core.errors import RunProblem
from engine.core.settings import Settings
from engine.report.files import load_report
from engine.run_directory.store import Run, Store
from engine.runs.launch import resumable, resume
from engine.runs.process import start
from engine.tasks import task_named
from engine.training.checkpoint_files import Checkpoints
from engine.training.context import RunContext
from engine.training.events import EventLog
from engine.training.pipeline import run_pipeline
from engine.training.worker import forget_checkpoints
from tests.engine.questions import WORDS as QUESTION_WORDS
from tests.engine.questions import rows, write
from tests.tiny import WORDS, save_encoder
from tests.tiny_generators import save_generator, table


@pytest.fixture
def settings(runs_dir, monkeypatch) -> Settings:
    monkeypatch.setenv("TUNEBENCH_CHECKPOINT_SECONDS", "1")
    return Settings.from_env()


def describe(table, model, **training) -> RunConfig:
    values = {"epochs": 30, "learning_rate": 1e-3, "batch_size": 16, "precision": "fp32", "early_stopping": 0}
    return RunConfig.from_dict(
        {
            "data": {"train": str(table)},
            # Dropout draws from the random generators, which have to come back too.
            "model": {"id": str(model), "dropout": 0.1},
            "training": {**values, **training},
            "evaluation": {"bootstrap_samples": 100, "baselines": False},
        }
    )


def wait_until(condition, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def steps_saved(run: Run) -> list[int]:
    return sorted(int(path.name[5:]) for path in run.path("checkpoints").glob("step-*"))


def events(run: Run, kind: str) -> list[dict]:
    return [event for event in run.events()[0] if event["type"] == kind]


def outcome(run: Run) -> dict:
    report = load_report(run.path("report"))
    result = {"test": report["test"], "best": report["run"]["best_step"], "history": report["run"]["history"]}
    [file] = run.path("model").glob("*model.safetensors")  # LoRA's are adapter_model.safetensors
    return result | {"weights": load_file(file)}


def same(first: dict, second: dict) -> None:
    assert first["best"] == second["best"]
    assert first["test"] == second["test"]
    assert json.dumps(first["history"]) == json.dumps(second["history"])
    for name, value in first["weights"].items():
        assert torch.equal(value, second["weights"][name]), name


class Crash(Exception):
    """Stands for a power cut: nothing of the worker's own runs after it."""


class Interrupting(EventLog):
    """An event log whose worker dies at a training step, or whose owner asks for an end at one and waits until it is heard."""

    run: Run
    crash_at = asking_at = 10**9

    def emit(self, kind: str, **values) -> None:
        super().emit(kind, **values)
        if kind == "step" and values["step"] >= self.crash_at:
            raise Crash
        if kind == "step" and values["step"] >= self.asking_at:
            self.run.request("keep")


def attempt(run: Run, settings: Settings, crash_at: int = 10**9, asking_at: int = 10**9) -> None:
    """One attempt of a run, in this process."""
    log = Interrupting(run.path("events.jsonl"))
    log.run, log.crash_at, log.asking_at = run, crash_at, asking_at
    try:
        run_pipeline(RunContext(run, log, settings))
        run.update(state="completed")
        forget_checkpoints(run)
    except Crash:
        run.update(attempt=run.manifest.attempt + 1)
    finally:
        log.close()


@pytest.fixture
def every_step_is_told(monkeypatch):
    monkeypatch.setattr("engine.training.callbacks.STEP_EVENT_SECONDS", 0.0)


@pytest.fixture
def resumed_here(monkeypatch, settings):
    """A resumed run goes on in this process, which has loaded the libraries."""
    monkeypatch.setattr("engine.runs.process.start", lambda run: attempt(run, settings))


@pytest.fixture
def saving_every(monkeypatch):
    """Checkpoints by updates instead of seconds."""

    def choose(updates: int) -> None:
        counted = {"n": 0}

        def due(self) -> bool:
            counted["n"] += 1
            return counted["n"] % updates == 0

        monkeypatch.setattr(Checkpoints, "due", due)

    return choose


@pytest.mark.training
def test_an_interrupted_run_ends_as_if_nothing_had_happened(
    tiny_bert, sentences, settings, every_step_is_told, saving_every
):
    """Bit for bit: weights, history, best step. Cut off twice; the second time its newest checkpoint is damaged as well."""
    store = Store(settings.runs_dir)
    # Several micro-batches an update, several evaluations an epoch: the place in the epoch matters.
    config = describe(sentences, tiny_bert, epochs=4, gradient_accumulation=2, evaluations_per_epoch=2)
    saving_every(3)
    whole = store.create(config)
    attempt(whole, settings)
    assert not whole.path("checkpoints").exists(), "nobody needs them after success"
    total = load_report(whole.path("report"))["run"]["history"][-1]["step"]
    assert total >= 20

    run = store.create(config)
    attempt(run, settings, crash_at=8)
    assert steps_saved(run) == [3, 6]
    source = config.data.train
    os.rename(source, source + ".moved")  # the rows were recorded: the file is not needed again
    try:
        attempt(run, settings, crash_at=17)
        older, newest = steps_saved(run)
        file = run.path("checkpoints", f"step-{newest:08d}", "weights.safetensors")
        content = bytearray(file.read_bytes())
        content[-5] ^= 1
        file.write_bytes(content)
        attempt(run, settings)
    finally:
        os.rename(source + ".moved", source)
    assert [event["step"] for event in events(run, "resumed")] == [6, older]
    assert f"step {newest} is damaged" in str([event["message"] for event in events(run, "notice")])
    same(outcome(whole), outcome(run))
    elapsed = [event["elapsed"] for event in run.events()[0]]
    assert elapsed == sorted(elapsed), "the seconds spent go on where they stopped"


@pytest.mark.training
def test_layers_that_read_once_are_read_alike_again(tiny_bert, sentences, settings, every_step_is_told, saving_every):
    store = Store(settings.runs_dir)
    values = describe(sentences, tiny_bert, epochs=4).to_dict()
    values["model"]["dropout"], values["method"]["frozen_layers"] = 0.0, 1
    saving_every(3)
    ended = []
    for crash_at in (10**9, 8):
        run = store.create(RunConfig.from_dict(values))
        attempt(run, settings, crash_at)
        if crash_at == 8:
            attempt(run, settings)
        assert run.manifest.facts["layers_read_once"] == 1
        ended.append(outcome(run))
    same(*ended)


@pytest.mark.training
def test_a_run_goes_on_with_the_settings_that_it_began_with(
    tiny_bert, sentences, settings, every_step_is_told, saving_every, monkeypatch
):
    """Whatever a newer version chooses where nothing is set, such as layers that stay as they are."""
    run = Store(settings.runs_dir).create(describe(sentences, tiny_bert, epochs=4, learning_rate=None))
    saving_every(3)
    attempt(run, settings, crash_at=8)
    facts = run.manifest.facts
    assert facts.pop("frozen_layers") == 0
    run.update(facts=facts)
    newer = replace(
        task_named("classification").hyperparameters, frozen_share=lambda labels: 0.5, learning_rates={"full": 1.0}
    )
    monkeypatch.setattr("engine.tasks.classification.spec.ClassificationSpec.hyperparameters", newer)
    attempt(run, settings)
    assert [event["step"] for event in events(run, "resumed")] == [6]
    assert run.manifest.facts["frozen_layers"] == 0
    assert run.manifest.facts["learning_rate"] == facts["learning_rate"]


def taggers(folder: Path) -> RunConfig:
    """The word after "the" is a place, in every second text."""
    texts = []
    for number in range(120):
        place = WORDS[number % 9]
        text = f"{WORDS[9 + number % 7]} the {place} was {WORDS[number % 5]}" if number % 2 else f"a film {number}"
        spans = [{"start": text.index("the ") + 4, "end": text.index(" was"), "label": "LOC"}] if number % 2 else []
        texts.append(json.dumps({"text": text, "spans": spans}) + "\n")
    folder.joinpath("texts.jsonl").write_text("".join(texts), encoding="utf-8")
    return RunConfig.from_dict(
        {
            "task": "ner",
            "data": {"train": str(folder / "texts.jsonl")},
            "model": {"id": str(save_encoder("bert", folder / "model")), "dropout": 0.1},
            "training": {"epochs": 3, "learning_rate": 5e-3, "batch_size": 8, "evaluations_per_epoch": 2},
        }
    )


def readers(folder: Path) -> RunConfig:
    return RunConfig.from_dict(
        {
            "task": "qa",
            "data": {"train": str(write(folder / "questions.jsonl", rows()))},
            "model": {"id": str(save_encoder("bert", folder / "model", QUESTION_WORDS)), "dropout": 0.1},
            "training": {"epochs": 2, "learning_rate": 3e-3, "batch_size": 16, "evaluations_per_epoch": 2},
        }
    )


def writers(folder: Path) -> RunConfig:
    return RunConfig.from_dict(
        {
            "task": "summarization",
            "data": {"train": str(table(folder / "texts.jsonl", 80))},
            "model": {"id": str(save_generator("llama", folder / "model"))},
            "training": {"epochs": 2, "learning_rate": 1e-2, "batch_size": 8},
        }
    )


@pytest.mark.training
@pytest.mark.parametrize("described", [taggers, readers, writers])
def test_every_task_ends_as_if_nothing_had_happened(described, tmp_path, settings, every_step_is_told, saving_every):
    config = described(tmp_path)
    config.training.precision, config.training.early_stopping = "fp32", 0
    config.evaluation.bootstrap_samples, config.evaluation.baselines = 100, False
    saving_every(2)
    store = Store(settings.runs_dir)
    whole, run = store.create(config), store.create(config)
    attempt(whole, settings)
    attempt(run, settings, crash_at=7)
    attempt(run, settings)
    [resumed] = events(run, "resumed")
    assert 5 <= resumed["step"] <= 7
    same(outcome(whole), outcome(run))


@pytest.mark.training
def test_early_stopping_counts_on_over_an_interruption(
    tiny_bert, sentences, settings, every_step_is_told, saving_every
):
    config = describe(
        sentences, tiny_bert, epochs=20, learning_rate=1e-7, early_stopping=4, evaluations_per_epoch=1, batch_size=64
    )
    saving_every(1)
    store = Store(settings.runs_dir)
    whole, run = store.create(config), store.create(config)
    attempt(whole, settings)
    assert load_report(whole.path("report"))["run"]["stopped_early"]
    attempt(run, settings, crash_at=11)
    attempt(run, settings)
    same(outcome(whole), outcome(run))


@pytest.mark.training
def test_a_run_stopped_with_its_best_model_can_go_on(tiny_bert, sentences, settings, resumed_here, every_step_is_told):
    store = Store(settings.runs_dir)
    run = store.create(describe(sentences, tiny_bert, epochs=5))
    attempt(run, settings, asking_at=20)
    assert run.state == "completed" and resumable(run)
    stopped_at = load_report(run.path("report"))["run"]["history"][-1]["step"]
    resume(run, store, settings)
    assert run.state == "completed" and not resumable(run)
    last = events(run, "step")[-1]
    assert last["step"] == last["total_steps"] > stopped_at
    with pytest.raises(RunProblem):
        resume(run, store, settings)


@pytest.mark.training
def test_a_system_that_ends_the_worker_gives_it_time_for_a_checkpoint(
    tiny_bert, sentences, settings, monkeypatch, resumed_here, every_step_is_told
):
    monkeypatch.setenv("TUNEBENCH_CHECKPOINT_SECONDS", "3600")
    settings = Settings.from_env()
    store = Store(settings.runs_dir)
    run = store.create(describe(sentences, tiny_bert, epochs=500))
    worker = start(run)
    wait_until(lambda: events(run, "step"))
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.wait() == 1
    assert run.state == "interrupted"
    assert run.manifest.error["code"] == "terminated"
    [step] = steps_saved(run)
    assert step > 0
    monkeypatch.setattr("engine.runs.process.start", lambda run: attempt(run, settings, crash_at=step + 2))
    resume(run, store, settings)
    assert events(run, "resumed")[0]["step"] == step
    run.update(queued=time.time() - 120)  # it crashed then; a worker that has not said who it is counts for a minute
    assert run.state == "interrupted" and resumable(run)
