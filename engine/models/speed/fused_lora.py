"""LoRA's layers as one product: x (W + s B A)ᵀ instead of x Wᵀ + s (x Aᵀ) Bᵀ.

PEFT computes the second form, and so passes over the whole output of a layer five times more than the layer without LoRA does. With
more tokens than the weight has rows it is cheaper to add B A, of rank r, to the weight first, and backward needs no gradient of the
weight: with g the gradient of the output, that of x is g (W + s B A), of A s (g B)ᵀ x, of B s gᵀ (x Aᵀ). In float32 only: bf16 keeps
eight bits of a weight, too few to hold what is added. Knows PEFT's linear layers; does not know models or training.
"""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora.layer import Linear as LoraLinear
from torch import nn
from torch.autograd.function import once_differentiable

from engine.models.speed.handle import Handle
from engine.models.unwrap import FamilyModule


class _Product(torch.autograd.Function):
    """x [n, in], W [out, in], A [r, in], B [out, r] and the scale s: [n, out]. W has no gradient."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, a: torch.Tensor, b: torch.Tensor, scale: float):
        ctx.save_for_backward(x, weight, a, b)
        ctx.scale = scale
        return x @ torch.addmm(weight, b, a, alpha=scale).t()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor):
        x, weight, a, b = ctx.saved_tensors
        scale = ctx.scale
        grad_x = grad @ torch.addmm(weight, b, a, alpha=scale) if ctx.needs_input_grad[0] else None
        grad_a = scale * ((grad @ b).t() @ x)
        grad_b = scale * (grad.t() @ (x @ a.t()))
        return grad_x, None, grad_a, grad_b, None


def enable(model: nn.Module) -> Handle:
    """Let the LoRA layers of `model` compute one product where that is faster. The handle's `count` says how many of them can."""
    layers: list[FamilyModule] = [m for m in model.modules() if type(m) is LoraLinear and _fits(m)]
    for layer in layers:
        layer.forward = _Forward(layer)

    def restore() -> None:
        for layer in layers:
            del layer.forward  # back to the class's own

    return Handle(restore, count=len(layers))


def _fits(layer: LoraLinear) -> bool:
    """Whether a layer is LoRA as in Hu et al. (2021), without dropout, beside a linear layer in float32."""
    base = layer.get_base_layer()
    if layer.active_adapters != list(layer.lora_A) or len(layer.lora_A) != 1:
        return False
    [name] = layer.active_adapters
    return (
        type(base) is nn.Linear
        and base.weight.dtype == torch.float32
        and not base.weight.requires_grad
        and name not in layer.lora_variant
        and not layer.lora_bias[name]
        and not layer.fan_in_fan_out
        and isinstance(layer.lora_dropout[name], nn.Identity)
    )


class _Forward:
    """The forward pass of one LoRA layer."""

    def __init__(self, layer: LoraLinear):
        self._layer = layer
        self._plain = layer.forward

    def __call__(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        layer: FamilyModule = self._layer
        weight = layer.get_base_layer().weight
        few = x.numel() // x.shape[-1] < max(weight.shape)
        rounded = x.dtype != torch.float32 or torch.is_autocast_enabled(x.device.type)
        if args or kwargs or few or rounded or layer.merged or layer.disable_adapters:
            return self._plain(x, *args, **kwargs)
        [name] = layer.active_adapters
        a, b, scale = layer.lora_A[name].weight, layer.lora_B[name].weight, layer.scaling[name]
        output = _Product.apply(x.reshape(-1, x.shape[-1]), weight, a, b, scale)
        bias = layer.get_base_layer().bias
        return (output if bias is None else output + bias).view(*x.shape[:-1], -1)
