"""How large an update's steps are. Run: python -m pytest tests/engine/training/test_stepping.py"""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.config import TrainingConfig
from engine.models.device import Device
from engine.tasks.base import Feature
from engine.text import Text
from engine.training.budget import Budget
from engine.training.checkpoint import Checkpoints
from engine.training.defaults import Resolved
from engine.training.events import EventLog
from engine.training.trainer import FineTuner


def tuner_of(model: nn.Module, folder: Path, config: TrainingConfig, scale: float) -> FineTuner:
    """A tuner of two updates whose gradients are `scale` times the inputs' mean."""
    return FineTuner(
        model,
        [Feature(index, input_ids=[1, 2], target=0) for index in range(8)],
        resolved=Resolved(
            batch_size=4,
            learning_rate=1e-2,
            max_length=16,
            dropout=0.0,
            freeze_embeddings=False,
            epochs=1.0,
            fast_ratio=1.0,
            minutes=None,
        ),
        config=config,
        seed=0,
        device=Device("cpu", torch.float32, Text("", "")),
        pad_token_id=0,
        loss=lambda model, batch: scale * model(batch["input_ids"].float()).square().mean(),
        evaluate_now=lambda: (1.0, {"f1": 0.5}),
        metric="f1",
        stop_request=lambda: None,
        kept=lambda: None,
        events=EventLog(folder / "events.jsonl"),
        checkpoints=Checkpoints(folder / "checkpoints", math.inf),
        max_seconds=math.inf,
        micro_batch_size=4,
        budget=Budget(math.inf),
    )


@pytest.mark.parametrize("scale", [1e-4, 1e4])  # gradients below the largest norm, and far above it
def test_clipping_within_the_update_is_clipping_before_it(tmp_path: Path, scale: float) -> None:
    torch.manual_seed(0)
    model = nn.Linear(2, 3)
    start = {name: value.detach().clone() for name, value in model.named_parameters()}
    config = TrainingConfig(warmup=0.0, scheduler="constant", max_grad_norm=0.5, weight_decay=0.1)
    tuner = tuner_of(model, tmp_path, config, scale)
    tuner.fit()

    expected = nn.Linear(2, 3)
    expected.load_state_dict(start)
    decayed, others = [expected.weight], [expected.bias]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=1e-2
    )
    inputs = torch.tensor([[1.0, 2.0]] * 4)
    for _ in range(2):
        (scale * expected(inputs).square().mean()).backward()
        nn.utils.clip_grad_norm_(expected.parameters(), 0.5)
        optimizer.step()
        optimizer.zero_grad()
    for name, value in expected.named_parameters():
        learned = model.get_parameter(name)
        torch.testing.assert_close(learned, value, msg=name)
        # The update hardly depends on the scale of gradients; its averages do.
        for average in ("exp_avg", "exp_avg_sq"):
            torch.testing.assert_close(tuner.optimizer.state[learned][average], optimizer.state[value][average])
    assert not torch.equal(model.weight, start["weight"])
