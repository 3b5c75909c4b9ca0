"""What an update and an evaluation leave behind. Run: python -m pytest tests/engine/training/test_trainer.py"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from tests.tuners import tuner_of


def test_what_an_evaluation_decided_is_kept_with_the_best_weights_alone(tmp_path: Path) -> None:
    scores = iter(
        [(0.9, 0.5), (0.4, 0.3), (0.8, 0.5), (0.2, 0.5)]
    )  # loss, f1: the first, a worse one, twice the same with less loss
    kept: list[float] = []
    model = nn.Linear(2, 2)

    def evaluate() -> tuple[float, dict[str, float]]:
        loss, f1 = next(scores)
        with torch.no_grad():
            model.weight.fill_(loss)
        return loss, {"f1": f1}

    tuner = tuner_of(model, [], tmp_path, evaluate=evaluate, on_best=lambda: kept.append(float(model.weight[0, 0])))
    for _ in range(4):
        tuner.evaluate()
    assert [round(loss, 1) for loss in kept] == [0.9, 0.8, 0.2]
    assert [point["best"] for point in tuner.progress.evaluations] == [True, False, True, True]
    assert torch.allclose(tuner.progress.best_state["weight"], torch.full((2, 2), 0.2))
