"""Real fine-tunings of the embedded models on embedded data: they must beat what needs no fine-tuning.

They need the embedded assets (`make setup` fetches those for English; the rest comes when first chosen).
Run: python -m pytest tests/engine/training/test_real.py
"""

from __future__ import annotations

import pytest

from engine.config import RunConfig
from engine.report.files import load_report
from engine.runs.api import train


def report_of(**values) -> dict:
    run = train(RunConfig.from_dict(values))
    assert run.state == "completed"
    return load_report(run.path("report"))


@pytest.mark.training
def test_minilm_learns_film_sentences(runs_dir):
    report = report_of(
        data={"example": "rated-sentences", "max_train_rows": 1000},
        training={"epochs": 2},
        evaluation={"max_rows": 800},
    )
    keywords = report["baselines"]["tfidf_logreg"]
    assert report["test"]["accuracy"] >= 0.81
    assert keywords["difference"]["low"] > 0.02, "the lead over keywords must be sure, and worth something"
    assert report["verdict"]["level"] in ("useful", "strong")
    assert report["baselines"]["untuned"]["metrics"]["accuracy"] + 0.05 < report["test"]["accuracy"]


@pytest.mark.training
def test_e5_learns_chinese_messages_with_lora(runs_dir):
    report = report_of(
        data={"example": "help-desk-zh", "max_train_rows": 300},
        model={"id": "e5-small"},
        method={"name": "lora"},
        training={"epochs": 3},
    )
    assert report["test"]["accuracy"] >= report["baselines"]["majority"]["metrics"]["accuracy"] + 0.3


@pytest.mark.training
def test_minilm_finds_entities_it_never_saw(runs_dir):
    report = report_of(
        task="ner",
        data={"example": "help-desk-entities-en", "max_train_rows": 320},
        model={"id": "minilm"},
        training={"epochs": 4},
        evaluation={"max_rows": 120},
    )
    memory = report["baselines"]["lexicon"]
    assert report["test"]["f1"] >= memory["metrics"]["f1"] + 0.1 and memory["difference"]["low"] > 0
    assert report["seen"]["new"]["recall"]["value"] > 0.5, "dates, amounts and order numbers are new nearly every time"
    assert report["baselines"]["untuned"]["metrics"]["f1"] < report["test"]["f1"]
