"""Runs whose lower layers stay as they are. Run: python -m pytest tests/engine/training/test_frozen_layers.py"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from engine.config import RunConfig
from engine.core.settings import Settings
from engine.models.speed.fast_paths import PATHS
from engine.report.files import load_report
from engine.run_directory.store import Run, Store
from engine.training.context import RunContext
from engine.training.events import EventLog
from engine.training.pipeline import run_pipeline

pytestmark = pytest.mark.training


def run_of(runs_dir: Path, model: Path, table: Path, **method: Any) -> Run:
    run = Store(runs_dir).create(
        RunConfig.from_dict(
            {
                "data": {"train": str(table)},
                "model": {"id": str(model)},
                "method": method,
                "training": {"epochs": 6, "learning_rate": 3e-3, "batch_size": 16, "precision": "fp32"},
                "evaluation": {"bootstrap_samples": 100},
            }
        )
    )
    run_pipeline(RunContext(run, EventLog(run.path("events.jsonl")), Settings.from_env(runs_dir=runs_dir)))
    return run


def test_what_is_read_once_teaches_what_is_read_each_time(tiny_bert, sentences, runs_dir, monkeypatch):
    remembered = run_of(runs_dir, tiny_bert, sentences, frozen_layers=1)
    never = replace(PATHS["frozen_layer_cache"], applies=lambda *_: False)
    monkeypatch.setitem(PATHS, "frozen_layer_cache", never)
    computed = run_of(runs_dir, tiny_bert, sentences, frozen_layers=1)
    reports = [load_report(run.path("report")) for run in (remembered, computed)]
    assert reports[0]["test"] == reports[1]["test"]
    for once, each in zip(*(report["run"]["history"] for report in reports), strict=True):
        assert once["train_loss"] == pytest.approx(each["train_loss"], rel=1e-4)
        assert once["validation"]["loss"] == pytest.approx(each["validation"]["loss"], rel=1e-4)
    assert "; the first layer frozen, computed once a text; " in reports[0]["run"]["means"]["en"]
    assert "; the first layer frozen; " in reports[1]["run"]["means"]["en"]
    facts = [run.manifest.facts for run in (remembered, computed)]
    assert [(fact["frozen_layers"], fact["layers_read_once"]) for fact in facts] == [(1, 1), (1, 0)]
    # With its whole layer to compute again, a row costs twice what one of an evaluation does.
    assert facts[0]["judging_rows"] == pytest.approx(2 * facts[1]["judging_rows"], rel=0.01)


def test_the_saved_model_has_the_frozen_layers_as_they_came(tiny_bert, sentences, runs_dir):
    run = run_of(runs_dir, tiny_bert, sentences, frozen_layers=1)
    before, after = (
        AutoModelForSequenceClassification.from_pretrained(folder).bert for folder in (tiny_bert, run.path("model"))
    )
    for name, weights in before.named_parameters():
        same = torch.equal(weights, after.get_parameter(name))
        assert same == ("layer.1." not in name and "pooler" not in name), name
