"""Weights in the number format of products: which are cast, and that autocast computes the same with them.

Run: python -m pytest tests/engine/models/speed/test_half_precision_weights.py
"""

from __future__ import annotations

import torch
from torch import nn

from engine.models.speed.half_precision_weights import cast_frozen, cast_linear


def test_frozen_weights_are_cast_and_trained_ones_are_not() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4).double())
    model[0].requires_grad_(False)
    model[2].requires_grad_(False)
    cast_frozen(model, torch.bfloat16)
    assert [layer.weight.dtype for layer in model] == [torch.bfloat16, torch.float32, torch.float64]


def test_outputs_under_autocast_are_the_same_bit_for_bit() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.Linear(16, 4))
    x = torch.randn(5, 8)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        expected = model(x)
        cast_linear(model, torch.bfloat16)
        assert model[0].weight.dtype == torch.bfloat16 and model[1].weight.dtype == torch.float32
        assert torch.equal(model(x), expected)
