"""How large an update's steps are. Run: python -m pytest tests/engine/training/test_stepping.py"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from engine.config import TrainingConfig
from engine.schema import Feature
from tests.tuners import tuner_of


@pytest.mark.parametrize("scale", [1e-4, 1e4])  # gradients below the largest norm, and far above it
def test_clipping_within_the_update_is_clipping_before_it(tmp_path: Path, scale: float) -> None:
    torch.manual_seed(0)
    model = nn.Linear(2, 3)
    start = {name: value.detach().clone() for name, value in model.named_parameters()}
    config = TrainingConfig(warmup=0.0, scheduler="constant", max_grad_norm=0.5, weight_decay=0.1)
    features = [Feature(index, input_ids=[1, 2], target=0) for index in range(8)]  # two updates of four
    tuner = tuner_of(
        model,
        features,
        tmp_path,
        config=config,
        loss=lambda model, batch: scale * model(batch["input_ids"].float()).square().mean(),
    )
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
