"""Runs of every task without fast paths: they complete, and score what runs with fast paths score.

Run: python -m pytest tests/engine/training/test_optimizations_off.py
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from engine.config import RunConfig
from engine.core.settings import Settings
from engine.inference.predictor import load_predictor
from engine.models.device import choose_device
from engine.models.speed.fast_paths import FastPaths
from engine.report.files import load_report
from engine.run_directory.store import Run, Store
from engine.training.context import RunContext
from engine.training.events import EventLog
from engine.training.pipeline import run_pipeline
from tests.engine import questions
from tests.tiny import WORDS, save_encoder
from tests.tiny_generators import save_generator
from tests.tiny_generators import table as documents

NAMES = ("ann", "bob", "eve")
ENABLED = {  # by runs on a CPU in float32, beside the paths that are chosen by name
    "classification": {"cpu_attention", "last_layer_first_token"},
    "ner": {"cpu_attention"},
    "qa": set(),  # attention to long texts in float32 is sdpa's
    "summarization": {"cpu_attention", "fused_lora", "frozen_layer_cache", "target_logits_only"},
}


def tagged(path: Path) -> Path:
    """Texts in which every name is a person."""
    chance = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(80):
            words, name = chance.choices(WORDS, k=chance.randint(2, 6)), chance.choice(NAMES)
            start = len(" ".join(words)) + 1
            spans = [{"start": start, "end": start + len(name), "label": "PER"}]
            file.write(json.dumps({"text": " ".join([*words, name]), "spans": spans}) + "\n")
    return path


def described(task: str, folder: Path, sentences: Path, tiny_bert: Path) -> dict[str, Any]:
    """A small run of a task: its data, its model, and a rate at which it learns something in two epochs."""
    if task == "classification":
        table, model, rate = sentences, tiny_bert, 3e-3
    elif task == "ner":
        table, model, rate = tagged(folder / "t.jsonl"), save_encoder("bert", folder / "m", [*WORDS, *NAMES]), 5e-3
    elif task == "qa":
        table = questions.write(folder / "t.jsonl", questions.rows()[:80])
        model, rate = save_encoder("bert", folder / "m", questions.WORDS), 3e-3
    else:
        table, model, rate = documents(folder / "t.jsonl", 60), save_generator("llama", folder / "m"), 1e-2
    training = {"epochs": 2, "learning_rate": rate, "batch_size": 16, "precision": "fp32", "device": "cpu"}
    return {
        "task": task,
        "data": {"train": str(table)},
        "model": {"id": str(model)},
        "training": training,
        "evaluation": {"bootstrap_samples": 100},
    }


def completed(values: dict[str, Any], optimizations: str, runs_dir: Path) -> Run:
    values = {**values, "training": {**values["training"], "optimizations": optimizations}}
    run = Store(runs_dir).create(RunConfig.from_dict(values))
    run_pipeline(RunContext(run, EventLog(run.path("events.jsonl")), Settings.from_env(runs_dir=runs_dir)))
    return run


@pytest.mark.training
@pytest.mark.parametrize("task", ENABLED)
def test_a_run_without_fast_paths_scores_the_same(task, tmp_path, sentences, tiny_bert, runs_dir, monkeypatch):
    enabled: list[str] = []
    enable = FastPaths.enable

    def spy(self, name, *args):
        handle = enable(self, name, *args)
        enabled.extend([name] if handle is not None else [])
        return handle

    monkeypatch.setattr(FastPaths, "enable", spy)
    values = described(task, tmp_path, sentences, tiny_bert)
    fast = completed(values, "auto", runs_dir)
    assert set(enabled) == ENABLED[task]
    enabled.clear()
    plain = completed(values, "off", runs_dir)
    assert enabled == []

    means = [run.manifest.facts["means"] for run in (fast, plain)]
    assert "optimizations off" in means[1]["en"] and "已关闭计算优化" in means[1]["zh"]
    assert "optimizations off" not in means[0]["en"]
    losses = [[e["loss"] for e in run.events()[0] if e["type"] == "evaluation"] for run in (fast, plain)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
    reports = [load_report(run.path("report")) for run in (fast, plain)]
    for metric, value in reports[0]["test"].items():
        if isinstance(value, float):
            assert reports[1]["test"][metric] == pytest.approx(value, abs=0.02), metric
    # What is answered later uses fast paths whatever the run did.
    row = json.loads(plain.path("report", "predictions.jsonl").read_text(encoding="utf-8").splitlines()[0])
    answers = [
        load_predictor(run.directory, choose_device("cpu", "fp32")).predict([row["inputs"]]) for run in (fast, plain)
    ]
    assert answers[0][0].keys() == answers[1][0].keys()
    assert ("last_layer_first_token" in enabled) is (task == "classification")
