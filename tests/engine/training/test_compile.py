"""A run whose model is compiled. Run: python -m pytest tests/engine/training/test_compile.py"""

from __future__ import annotations

from functools import partial

import pytest
import torch
from transformers import TrainingArguments

from engine.config import RunConfig
from engine.core.settings import Settings
from engine.inference.predictor import load_predictor
from engine.report.files import load_report
from engine.run_directory.store import Store
from engine.training.context import RunContext
from engine.training.events import EventLog
from engine.training.pipeline import run_pipeline


@pytest.mark.training
def test_a_compiled_model_learns_and_is_saved_like_any_other(tiny_bert, sentences, runs_dir, monkeypatch):
    """Traced and run as it is: generating code for it would take minutes, and is PyTorch's to test."""
    traced = partial(TrainingArguments, torch_compile_backend="eager")
    monkeypatch.setattr("engine.training.trainer.TrainingArguments", traced)
    monkeypatch.setattr("engine.training.load_model.check_can_compile", lambda device: None)
    compiled = []
    original = torch.compile
    monkeypatch.setattr(torch, "compile", lambda *given, **how: compiled.append(how) or original(*given, **how))
    run = Store(runs_dir).create(
        RunConfig.from_dict(
            {
                "data": {"train": str(sentences)},
                "model": {"id": str(tiny_bert)},
                "training": {
                    "compile": True,
                    "epochs": 10,
                    "learning_rate": 3e-3,
                    "batch_size": 16,
                    "precision": "fp32",
                },
                "evaluation": {"bootstrap_samples": 100},
            }
        )
    )
    run_pipeline(RunContext(run, EventLog(run.path("events.jsonl")), Settings.from_env(runs_dir=runs_dir)))
    assert [how["backend"] for how in compiled] == ["eager"]
    assert load_report(run.path("report"))["test"]["accuracy"] >= 0.85
    assert load_predictor(run.directory).predict(["good film"])[0]["label"] == "positive"
