"""How many examples fit, measured. Run: python -m pytest tests/engine/training/test_memory.py"""

from __future__ import annotations

import torch
from torch import nn

from engine.training import memory


def test_what_a_forward_pass_keeps_is_counted_and_weights_are_not():
    model = nn.Sequential(nn.Linear(1000, 500), nn.ReLU(), nn.Linear(500, 10))

    def kept(rows: int) -> int:
        given = torch.randn(rows, 1000)
        return memory.bytes_kept(model, lambda: model(given).sum())

    # The input of the first layer, the output of the ReLU (kept once, though two layers need it).
    assert kept(8) == 8 * (1000 + 500) * 4
    assert kept(16) == 2 * kept(8)
    model.requires_grad_(False)
    assert kept(8) == 0, "nothing is kept where nothing is learned"


def test_the_measurement_does_not_disturb_training():
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    memory.bytes_kept(model, lambda: model(torch.ones(2, 4)).sum())
    assert torch.equal(torch.rand(3), expected)


def test_a_batch_is_halved_until_it_fits(monkeypatch):
    monkeypatch.setattr(memory, "bytes_free", lambda device: 1000)
    assert memory.fitting(16, 30, "cuda") == 16
    assert memory.fitting(16, 100, "cuda") == 4
    assert memory.fitting(16, 10_000, "cuda") == 1
    monkeypatch.setattr(memory, "bytes_free", lambda device: 2**50)
    assert memory.fitting(64, 2**28, "cuda") == 64
    assert memory.fitting(64, 2**28, "cpu") == 8, "a processor gains nothing from more"
    assert memory.fitting(64, 2**28, "cpu", writes=False) == 64, "an encoder is slower in halves"
    assert memory.bytes_free("cpu") > 0
