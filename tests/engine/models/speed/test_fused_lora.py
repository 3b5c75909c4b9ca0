"""LoRA as one product: the outputs and gradients of PEFT's layers, and which layers are left to PEFT.

Run: python -m pytest tests/engine/models/speed/test_fused_lora.py
"""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from engine.models.speed.fused_lora import enable

WIDE, HIGH, TOKENS = 24, 16, 40


class Net(nn.Module):
    def __init__(self, bias: bool = True):
        super().__init__()
        self.first = nn.Linear(HIGH, WIDE, bias=bias)
        self.second = nn.Linear(WIDE, HIGH, bias=bias)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


def wrapped(bias: bool = True, **config):
    torch.manual_seed(3)
    model = get_peft_model(Net(bias), LoraConfig(r=4, lora_alpha=6, target_modules=["first", "second"], **config))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.3)
    return model


def step(model, x):
    x = x.clone().requires_grad_()
    output = model(x)
    (output * torch.arange(output.numel()).view_as(output).sin()).sum().backward()
    return output, x.grad, {name: p.grad for name, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(TOKENS, HIGH), (2, TOKENS, HIGH)])
def test_outputs_and_gradients_are_those_of_peft(bias, shape):
    x = torch.randn(shape)
    model = wrapped(bias)
    expected = step(model, x)
    model.zero_grad(set_to_none=True)
    assert enable(model).count == 2
    output, grad_x, grads = step(model, x)
    assert output.grad_fn is not None
    torch.testing.assert_close(output, expected[0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(grad_x, expected[1], rtol=1e-4, atol=1e-4)
    assert grads.keys() == expected[2].keys()
    for name, grad in grads.items():
        torch.testing.assert_close(grad, expected[2][name], rtol=1e-4, atol=1e-4)


def test_gradients_are_those_of_finite_differences():
    from engine.models.speed.fused_lora import _Product

    torch.manual_seed(0)
    x, w, a, b = (torch.randn(shape, dtype=torch.float64) for shape in ((5, 3), (4, 3), (2, 3), (4, 2)))
    inputs = (x.requires_grad_(), w, a.requires_grad_(), b.requires_grad_(), 0.7)
    assert torch.autograd.gradcheck(_Product.apply, inputs)


def products(model, x):
    """How many layers computed one product."""
    count, todo = 0, [model(x).grad_fn]
    while todo:
        node = todo.pop()
        count += type(node).__name__ == "_ProductBackward"
        todo += [following for following, _ in node.next_functions if following is not None]
    return count


def test_few_tokens_are_computed_as_peft_does():
    model = wrapped()
    enable(model)
    assert products(model, torch.randn(TOKENS, HIGH)) == 2
    assert products(model, torch.randn(WIDE - 1, HIGH)) == 0


def test_under_autocast_peft_computes():
    model = wrapped()
    enable(model)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert products(model, torch.randn(TOKENS, HIGH)) == 0


def test_an_adapter_that_is_switched_off_or_merged_adds_nothing():
    x, model = torch.randn(TOKENS, HIGH), wrapped()
    plain = model.get_base_model()
    with model.disable_adapter():
        off = model(x)
    tuned = model(x)
    enable(model)
    with model.disable_adapter():
        torch.testing.assert_close(model(x), off)
    model.merge_adapter()
    torch.testing.assert_close(plain(x), tuned, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("config", [{"lora_dropout": 0.1}, {"use_dora": True}, {"lora_bias": True}])
def test_other_kinds_are_left_to_peft(config):
    assert enable(wrapped(**config)).count == 0


def test_rank_stabilised_scale_is_kept():
    x, model = torch.randn(TOKENS, HIGH), wrapped(use_rslora=True)
    expected = model(x)
    assert enable(model).count == 2
    torch.testing.assert_close(model(x), expected, rtol=1e-5, atol=1e-5)


def test_a_merged_model_is_a_plain_one_again():
    x, model = torch.randn(TOKENS, HIGH), wrapped()
    expected = model(x)
    enable(model)
    merged = model.merge_and_unload()
    assert type(merged.first) is nn.Linear
    torch.testing.assert_close(merged(x), expected, rtol=1e-5, atol=1e-5)
