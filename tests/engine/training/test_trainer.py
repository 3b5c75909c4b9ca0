"""What an update and an evaluation leave behind. Run: python -m pytest tests/engine/training/test_trainer.py"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import nn

from engine.config import TrainingConfig
from engine.models.device import Device
from engine.text import Text
from engine.training.budget import Budget
from engine.training.checkpoint import Checkpoints
from engine.training.defaults import Resolved
from engine.training.events import EventLog
from engine.training.trainer import FineTuner


def test_what_an_evaluation_decided_is_kept_with_the_best_weights_alone(tmp_path: Path) -> None:
    scores = iter(
        [(0.9, 0.5), (0.4, 0.3), (0.8, 0.5), (0.2, 0.5)]
    )  # loss, f1: the first, a worse one, twice the same with less loss
    kept: list[float] = []
    model = nn.Linear(2, 2)

    def evaluate_now() -> tuple[float, dict[str, float]]:
        loss, f1 = next(scores)
        with torch.no_grad():
            model.weight.fill_(loss)
        return loss, {"f1": f1}

    tuner = FineTuner(
        model,
        [],
        resolved=Resolved(
            batch_size=8,
            learning_rate=1e-3,
            max_length=16,
            dropout=0.0,
            freeze_embeddings=False,
            epochs=1.0,
            fast_ratio=1.0,
            minutes=None,
        ),
        config=TrainingConfig(),
        seed=0,
        device=Device("cpu", torch.float32, Text("", "")),
        pad_token_id=0,
        loss=lambda model, batch: torch.zeros(()),
        evaluate_now=evaluate_now,
        metric="f1",
        stop_request=lambda: None,
        kept=lambda: kept.append(float(model.weight[0, 0])),
        events=EventLog(tmp_path / "events.jsonl"),
        checkpoints=Checkpoints(tmp_path / "checkpoints", math.inf),
        max_seconds=math.inf,
        micro_batch_size=8,
        budget=Budget(math.inf),
    )
    for _ in range(4):
        tuner.evaluate()
    assert [round(loss, 1) for loss in kept] == [0.9, 0.8, 0.2]
    assert [point["best"] for point in tuner.progress.evaluations] == [True, False, True, True]
    assert torch.allclose(tuner.progress.best_state["weight"], torch.full((2, 2), 0.2))
