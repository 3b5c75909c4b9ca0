"""Few rows through linear layers. Run: python -m pytest tests/engine/models/speed/test_few_row_linear.py"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.models.speed.few_row_linear import MAX_ROWS, few_rows

needs_mkl = pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="needs a PyTorch with MKL")


@needs_mkl
@pytest.mark.parametrize("rows", [1, 2, 6, 7, 8, 9, 27, MAX_ROWS, MAX_ROWS + 1, 300])
@pytest.mark.parametrize("bias", [True, False])
def test_the_numbers_are_the_same(rows, bias):
    torch.manual_seed(0)
    layer, states = nn.Linear(48, 80, bias=bias), torch.randn(rows, 1, 48)
    expected = layer(states)
    with few_rows(layer), torch.inference_mode():
        output = layer(states)
        assert output.shape == expected.shape and output.is_contiguous()
        torch.testing.assert_close(output, expected)
        flat = layer(states[:, 0])
        torch.testing.assert_close(flat, expected[:, 0])


@needs_mkl
def test_layers_are_restored_even_after_an_error():
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4)))
    with pytest.raises(KeyError), few_rows(model):
        assert "forward" in vars(model[0]) and "forward" in vars(model[1][0])
        raise KeyError("a fault")
    assert "forward" not in vars(model[0]) and "forward" not in vars(model[1][0])


@needs_mkl
def test_it_can_be_nested():
    layer = nn.Linear(4, 4)
    with few_rows(layer):
        first = vars(layer)["forward"]
        with few_rows(layer):
            assert vars(layer)["forward"] is first
        assert vars(layer)["forward"] is first
    assert "forward" not in vars(layer)


def test_other_number_formats_and_other_layers_are_left_alone():
    class Own(nn.Linear):
        pass

    others = (nn.Linear(4, 4).bfloat16(), nn.Linear(4, 4).double(), Own(4, 4), nn.Conv1d(4, 4, 1))
    for layer in others:
        with few_rows(layer):
            assert "forward" not in vars(layer)
    layer = nn.Linear(4, 4)
    with torch.autocast("cpu", torch.bfloat16), few_rows(layer):
        assert "forward" not in vars(layer)
