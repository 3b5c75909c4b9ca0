"""Attention on a CPU in as few passes over the scores as possible, forward and backward.

The scores [b, h, t, s] are by far the largest tensor of a batch. The plain attention of transformers scales them, adds the mask and
takes the softmax, each in a pass over memory of its own, and autograd repeats these passes backward. Here the query is scaled instead,
scores are computed for as many texts and queries at a time as the caches hold, and only their softmax is kept. In a decoder, keys
after a block of queries are skipped, and heads that share keys are computed in one product. PyTorch's softmax is not vectorised for
rows of fewer than sixteen numbers, so keys are padded to sixteen.

Knows which model families compute attention so that this can replace it. Does not know tasks or training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from engine.models.device import Device
from engine.models.speed.handle import Handle
from engine.models.unwrap import FamilyModule

NAME = "cpu_attention"  # in the configuration of a model
# Attention of these families depends on queries, keys, values and a mask alone: no caps, sinks or position biases.
ENCODERS = ("bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta")
DECODERS = ("llama", "mistral", "qwen2", "qwen3", "smollm3")
MAX_SCORES = 2**20  # computed at a time: 4 MB in float32
QUERY_BLOCK = 128  # queries of a decoder at a time; the keys after a block are skipped
# PyTorch's softmax is not vectorised for rows shorter than a vector; its gradient is not below 32 in bf16.
MIN_KEYS, MIN_KEYS_BF16_GRADIENT = 16, 32


def fits(model: FamilyModule, device: Device) -> bool:
    """Whether this is faster for `model` than its current attention: on a CPU, without attention dropout.

    Encoders only where they use eager attention, which is faster than sdpa except for long texts in float32
    (`device.attention_for`).
    """
    config = model.config
    dropouts = (getattr(config, name, 0) for name in ("attention_probs_dropout_prob", "attention_dropout"))
    eager_encoder = config.model_type in ENCODERS and config._attn_implementation == "eager"
    return device.name == "cpu" and (eager_encoder or config.model_type in DECODERS) and not any(dropouts)


def enable(model: FamilyModule) -> Handle:
    """Set this attention, in place; parameters and their names stay as they are."""
    before = model.config._attn_implementation
    model.set_attn_implementation(NAME)
    return Handle(lambda: model.set_attn_implementation(before))


def _forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Queries [b, h, t, d], keys and values [b, g, s, d] with h a multiple of g, to [b, t, h, d]. True in the mask: visible."""
    causal = getattr(module, "is_causal", False)
    square = attention_mask is None and query.shape[2] == key.shape[2]
    if causal and not square and not torch.is_grad_enabled():
        # Few queries after cached keys: there is nothing to skip, and the fused kernel is faster.
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **options)
    if torch.is_autocast_enabled(query.device.type):
        dtype = torch.get_autocast_dtype(query.device.type)
        query, key, value = (tensor.to(dtype) for tensor in (query, key, value))
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    return Attention.apply(query, key, value, attention_mask, scaling, causal), None


@dataclass(frozen=True, slots=True)
class _Block:
    """Texts and queries whose scores are computed at once, and how many keys are visible to them."""

    texts: slice
    queries: slice
    keys: int


def _blocks(batch: int, heads: int, queries: int, keys: int, causal: bool) -> Iterator[_Block]:
    rows = min(queries, QUERY_BLOCK) if causal else queries
    texts = max(1, MAX_SCORES // max(heads * rows * keys, 1))
    for first in range(0, batch, texts):
        for row in range(0, queries, rows):
            end = min(row + rows, queries)
            yield _Block(slice(first, min(first + texts, batch)), slice(row, end), end if causal else keys)


class Attention(torch.autograd.Function):
    """softmax(q kᵀ · scaling + mask) v (Vaswani et al. 2017), grouped-query attention (Ainslie et al. 2023) where h > g.

    Queries [b, h, t, d], keys and values [b, g, s, d] to [b, t, h, d]. The mask [b, 1, t, s] is true where a key is visible; without
    a mask all keys are, or, where `causal` and t = s, those not after the query.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        mask: torch.Tensor | None,
        scaling: float,
        causal: bool,
    ) -> torch.Tensor:
        batch, heads, count, size = query.shape
        groups, keys = key.shape[1], key.shape[2]
        bias = None if mask is None else _bias(mask).expand(batch, -1, count, keys)
        key, value = (_padded(tensor) for tensor in (key, value))
        query = (query * scaling).reshape(batch, groups, heads // groups, count, size)
        output = query.new_empty(batch, count, heads, size)
        blocks = list(_blocks(batch, heads, count, keys, causal and count == keys))
        probs = []
        for block in blocks:
            width = max(block.keys, MIN_KEYS)
            block_query = _flat(query[block.texts, :, :, block.queries])
            scores = torch.matmul(block_query, key[block.texts, :, :width].transpose(2, 3)).float()
            scores = scores.view(*scores.shape[:2], heads // groups, -1, width)
            if bias is not None:
                scores[..., : block.keys] += bias[block.texts, :, None, block.queries, : block.keys]
            elif causal and count == keys:
                scores += _causal_bias(block, width, scores.device)
            if width > block.keys:
                scores[..., block.keys :] = -torch.inf
            block_probs = torch.softmax(scores, -1).to(query.dtype)
            probs.append(block_probs)
            block_output = torch.matmul(block_probs.flatten(2, 3), value[block.texts, :, :width])
            output[block.texts, block.queries] = _heads_last(block_output, block_probs.shape[3])
        ctx.save_for_backward(query, key, value, *probs)
        ctx.blocks, ctx.keys, ctx.scaling = blocks, keys, scaling
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, *probs = ctx.saved_tensors
        groups, heads_per_group = query.shape[1:3]
        grads = []
        for block, block_probs in zip(ctx.blocks, probs, strict=True):
            width = block_probs.shape[-1]
            block_probs = block_probs.flatten(2, 3)
            block_query = _flat(query[block.texts, :, :, block.queries])
            grad = grad_output[block.texts, block.queries].unflatten(2, (groups, heads_per_group))
            grad = _flat(grad.permute(0, 2, 3, 1, 4))
            grad_probs = torch.matmul(grad, value[block.texts, :, :width].transpose(2, 3))
            grad_scores = _softmax_gradient(grad_probs, block_probs)
            grad_query = torch.matmul(grad_scores, key[block.texts, :, :width]).mul_(ctx.scaling)
            grad_key = torch.matmul(grad_scores.transpose(2, 3), block_query)
            grad_value = torch.matmul(block_probs.transpose(2, 3), grad)
            grads.append((grad_query.unflatten(2, (heads_per_group, -1)), grad_key, grad_value))
        grad_query, grad_key, grad_value = _combined(ctx.blocks, grads, key.shape[2])
        return grad_query.flatten(1, 2), grad_key[:, :, : ctx.keys], grad_value[:, :, : ctx.keys], None, None, None


def _combined(
    blocks: list[_Block], grads: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]], keys: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients of the batch from those of its blocks. Several blocks of a text add to the same keys, in float32."""
    texts: dict[int, list[int]] = {}
    for index, block in enumerate(blocks):
        texts.setdefault(block.texts.start, []).append(index)
    rows = []
    for indices in texts.values():
        grad_query = _concatenated([grads[index][0] for index in indices], 3)
        if len(indices) == 1:
            rows.append((grad_query, *grads[indices[0]][1:]))
            continue
        batch, groups, _, size = grads[indices[0]][1].shape
        sums: list[torch.Tensor] = []
        for position in (1, 2):
            total = grad_query.new_zeros((batch, groups, keys, size), dtype=torch.float32)
            for index in indices:
                grad = grads[index][position]
                total[:, :, : grad.shape[2]] += grad
            sums.append(total.to(grad_query.dtype))
        rows.append((grad_query, sums[0], sums[1]))
    query_grads, key_grads, value_grads = (_concatenated(list(t), 0) for t in zip(*rows, strict=True))
    return query_grads, key_grads, value_grads


def _concatenated(tensors: list[torch.Tensor], dim: int) -> torch.Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors, dim)


def _bias(mask: torch.Tensor) -> torch.Tensor:
    """What is added to scores: 0 where `mask` is true. Not -inf elsewhere, which makes NaN of a row without a visible key."""
    return torch.zeros(mask.shape, device=mask.device).masked_fill_(~mask, torch.finfo(torch.float32).min)


def _causal_bias(block: _Block, width: int, device: torch.device) -> torch.Tensor:
    rows = torch.arange(block.queries.start, block.queries.stop, device=device)
    after = torch.arange(width, device=device)[None] > rows[:, None]
    return torch.zeros(after.shape, device=device).masked_fill_(after, -torch.inf)


def _padded(tensor: torch.Tensor) -> torch.Tensor:
    """Keys or values [b, g, s, d], contiguous, with s at least MIN_KEYS."""
    missing = max(0, MIN_KEYS - tensor.shape[2])
    return functional.pad(tensor, (0, 0, 0, missing)) if missing else tensor.contiguous()


def _flat(grouped: torch.Tensor) -> torch.Tensor:
    """[n, g, r, t, d] to [n, g, r·t, d]: the heads of one group share keys, and so one product."""
    return grouped.flatten(2, 3).contiguous()


def _heads_last(output: torch.Tensor, queries: int) -> torch.Tensor:
    """[n, g, r·t, d] to [n, t, g·r, d], where `queries` is t."""
    batch, groups, _, size = output.shape
    return output.view(batch, groups, -1, queries, size).permute(0, 3, 1, 2, 4).flatten(2, 3)


def _softmax_gradient(grad: torch.Tensor, probs: torch.Tensor) -> torch.Tensor:
    dtype = probs.dtype
    if probs.shape[-1] < MIN_KEYS_BF16_GRADIENT:
        grad, probs = grad.float(), probs.float()
    return torch._softmax_backward_data(grad, probs, -1, probs.dtype).to(dtype)


ALL_ATTENTION_FUNCTIONS.register(NAME, _forward)
ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, sdpa_mask)
