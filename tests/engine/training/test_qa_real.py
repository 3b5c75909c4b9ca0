"""A real fine-tuning of MiniLM on the help desk's questions: it must beat word overlap and the untuned model.

Needs the embedded MiniLM (`make setup`). Run: python -m pytest tests/engine/training/test_qa_real.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import RunConfig
from engine.inference.predictor import load_predictor
from engine.report.files import load_report
from engine.runs.api import train


@pytest.mark.training
def test_minilm_learns_to_find_answers_in_help_articles(runs_dir: Path) -> None:
    run = train(
        RunConfig.from_dict(
            {
                "task": "qa",
                "data": {"example": "help-desk-questions-en", "max_train_rows": 300},
                "training": {"epochs": 3},
                "evaluation": {"max_rows": 100},
            }
        )
    )
    assert run.state == "completed"
    report = load_report(run.path("report"))
    scores = {name: baseline["metrics"]["f1"] for name, baseline in report["baselines"].items()}
    assert report["test"]["f1"] >= max(scores.values()) + 0.05
    assert report["baselines"]["untuned"]["difference"]["low"] > 0
    # A text of 20,000 characters in one piece: what is found stands where it says.
    filler = "Our shops in Leeds and York are open from nine to six on working days. "
    fact = "Standard delivery costs £3.95 for each order."
    context = filler * 200 + fact + " " + filler * 90
    assert len(context) > 20_000
    [answer] = load_predictor(run.directory).predict(
        [{"context": context, "question": "How much does standard delivery cost?"}]
    )
    spans = [answer["best"], *answer["alternatives"]]
    assert all(context[span["start"] : span["end"]] == span["text"] for span in spans)
    assert len(spans) > 1 and answer["windows"] > 10
