"""Attention for processors that passes over its scores as few times as it can, forward and backward.

The scores of a batch are by far its largest tensor: [b, h, t, s]. The plain attention of transformers scales them, adds the mask and
takes the softmax, each a pass over memory of its own, and autograd goes back the same way. Here the query is scaled instead, scores are
made for as many texts and queries at once as the caches hold, and only their softmax is kept. Queries of a decoder see no keys after
them, so none are computed for them; heads that share keys ask them in one product. Below sixteen keys PyTorch's softmax takes one number
at a time, so there are sixteen at least.

Knows which families compute their attention so that this can stand in for it. Does not know tasks or training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from engine.models.device import Device

NAME = "few_passes"  # of this attention, in the configuration of a model
# Nothing but queries, keys, values and a mask decides what their attention says: no caps, no sinks, no biases of positions.
ENCODERS = ("bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta")
DECODERS = ("llama", "mistral", "qwen2", "qwen3", "smollm3")
AT_ONCE = 2**20  # scores: 4 MB in float32
QUERIES = 128  # of a decoder at once; the keys after them are left out
# PyTorch's softmax takes one number at a time where a row has fewer than a vector; its gradient does so below 32 in bf16.
VECTOR, WIDE = 16, 32


def fits(model: PreTrainedModel, device: Device) -> bool:
    """Whether this is faster for `model` than what it attends with: on a processor, without dropout of attention.

    Of encoders those that attend plainly, which is what measures best unless their texts are long and in float32
    (`device.attention_for`).
    """
    config = model.config
    dropouts = (getattr(config, name, 0) for name in ("attention_probs_dropout_prob", "attention_dropout"))
    plain = config.model_type in ENCODERS and config._attn_implementation == "eager"
    return device.name == "cpu" and (plain or config.model_type in DECODERS) and not any(dropouts)


def use(model: PreTrainedModel) -> None:
    """Let `model` attend so from now on; its names and weights stay as they are."""
    model.set_attn_implementation(NAME)


def _forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Queries [b, h, t, d], keys and values [b, g, s, d] with h a multiple of g, to [b, t, h, d]. True in the mask is seen."""
    causal = getattr(module, "is_causal", False)
    whole = attention_mask is None and query.shape[2] == key.shape[2]
    if causal and not whole and not torch.is_grad_enabled():
        # Few queries after keys that are known: nothing to leave out, and the fused kernel is ahead.
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **options)
    if torch.is_autocast_enabled(query.device.type):
        dtype = torch.get_autocast_dtype(query.device.type)
        query, key, value = (tensor.to(dtype) for tensor in (query, key, value))
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    return Attention.apply(query, key, value, attention_mask, scaling, causal), None


@dataclass(frozen=True, slots=True)
class _Part:
    """Texts and their queries whose scores are made at once, and how many keys these see."""

    texts: slice
    queries: slice
    keys: int


def _parts(batch: int, heads: int, queries: int, keys: int, causal: bool) -> Iterator[_Part]:
    rows = min(queries, QUERIES) if causal else queries
    texts = max(1, AT_ONCE // max(heads * rows * keys, 1))
    for first in range(0, batch, texts):
        for row in range(0, queries, rows):
            end = min(row + rows, queries)
            yield _Part(slice(first, min(first + texts, batch)), slice(row, end), end if causal else keys)


class Attention(torch.autograd.Function):
    """softmax(q kᵀ · scaling + mask) v (Vaswani et al. 2017), grouped-query attention (Ainslie et al. 2023) where h > g.

    Queries [b, h, t, d], keys and values [b, g, s, d] to [b, t, h, d]. The mask [b, 1, t, s] is true where a key is seen; without one
    all are, or, where `causal` and t = s, those not after the query.
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
        key, value = (_wide(tensor) for tensor in (key, value))
        query = (query * scaling).reshape(batch, groups, heads // groups, count, size)
        said = query.new_empty(batch, count, heads, size)
        parts = list(_parts(batch, heads, count, keys, causal and count == keys))
        shares = []
        for part in parts:
            seen = max(part.keys, VECTOR)
            asked = _flat(query[part.texts, :, :, part.queries])
            scores = torch.matmul(asked, key[part.texts, :, :seen].transpose(2, 3)).float()
            scores = scores.view(*scores.shape[:2], heads // groups, -1, seen)
            if bias is not None:
                scores[..., : part.keys] += bias[part.texts, :, None, part.queries, : part.keys]
            elif causal and count == keys:
                scores += _triangle(part, seen, scores.device)
            if seen > part.keys:
                scores[..., part.keys :] = -torch.inf
            share = torch.softmax(scores, -1).to(query.dtype)
            shares.append(share)
            answer = torch.matmul(share.flatten(2, 3), value[part.texts, :, :seen])
            said[part.texts, part.queries] = _laid(answer, share.shape[3])
        ctx.save_for_backward(query, key, value, *shares)
        ctx.parts, ctx.keys, ctx.scaling = parts, keys, scaling
        return said

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, *shares = ctx.saved_tensors
        groups, times = query.shape[1:3]
        found = []
        for part, share in zip(ctx.parts, shares, strict=True):
            seen = share.shape[-1]
            share = share.flatten(2, 3)
            asked = _flat(query[part.texts, :, :, part.queries])
            wanted = gradient[part.texts, part.queries].unflatten(2, (groups, times)).permute(0, 2, 3, 1, 4)
            wanted = _flat(wanted)
            to_scores = torch.matmul(wanted, value[part.texts, :, :seen].transpose(2, 3))
            to_scores = _softmax_gradient(to_scores, share)
            to_query = torch.matmul(to_scores, key[part.texts, :, :seen]).mul_(ctx.scaling)
            to_key = torch.matmul(to_scores.transpose(2, 3), asked)
            to_value = torch.matmul(share.transpose(2, 3), wanted)
            found.append((to_query.unflatten(2, (times, -1)), to_key, to_value))
        to_query, to_key, to_value = _together(ctx.parts, found, key.shape[2])
        return to_query.flatten(1, 2), to_key[:, :, : ctx.keys], to_value[:, :, : ctx.keys], None, None, None


def _together(
    parts: list[_Part], found: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]], keys: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients of all texts from those of parts. Several parts of a text add to the same keys, in float32."""
    texts: dict[int, list[int]] = {}
    for index, part in enumerate(parts):
        texts.setdefault(part.texts.start, []).append(index)
    whole = []
    for indices in texts.values():
        to_query = _joined([found[index][0] for index in indices], 3)
        if len(indices) == 1:
            whole.append((to_query, *found[indices[0]][1:]))
            continue
        batch, groups, _, size = found[indices[0]][1].shape
        sums = []
        for place in (1, 2):
            total = to_query.new_zeros((batch, groups, keys, size), dtype=torch.float32)
            for index in indices:
                new = found[index][place]
                total[:, :, : new.shape[2]] += new
            sums.append(total.to(to_query.dtype))
        whole.append((to_query, *sums))
    return tuple(_joined(list(tensors), 0) for tensors in zip(*whole, strict=True))  # type: ignore[return-value]


def _joined(tensors: list[torch.Tensor], dim: int) -> torch.Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors, dim)


def _bias(mask: torch.Tensor) -> torch.Tensor:
    """What is added to scores: 0 where `mask` is true. Not -inf, of which a row that sees nothing would make NaN."""
    return torch.zeros(mask.shape, device=mask.device).masked_fill_(~mask, torch.finfo(torch.float32).min)


def _triangle(part: _Part, seen: int, device: torch.device) -> torch.Tensor:
    rows = torch.arange(part.queries.start, part.queries.stop, device=device)
    after = torch.arange(seen, device=device)[None] > rows[:, None]
    return torch.zeros(after.shape, device=device).masked_fill_(after, -torch.inf)


def _wide(tensor: torch.Tensor) -> torch.Tensor:
    """Keys or values [b, g, s, d] one after the other in memory, at least as many as a vector holds."""
    lacking = max(0, VECTOR - tensor.shape[2])
    return functional.pad(tensor, (0, 0, 0, lacking)) if lacking else tensor.contiguous()


def _flat(grouped: torch.Tensor) -> torch.Tensor:
    """[n, g, r, t, d] to [n, g, r·t, d]: heads of one group ask the same keys, and so in one product."""
    return grouped.flatten(2, 3).contiguous()


def _laid(answer: torch.Tensor, queries: int) -> torch.Tensor:
    """[n, g, r·t, d] to [n, t, g·r, d], where `queries` is t."""
    batch, groups, _, size = answer.shape
    return answer.view(batch, groups, -1, queries, size).permute(0, 3, 1, 2, 4).flatten(2, 3)


def _softmax_gradient(gradient: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    dtype = share.dtype
    if share.shape[-1] < WIDE:
        gradient, share = gradient.float(), share.float()
    return torch._softmax_backward_data(gradient, share, -1, share.dtype).to(dtype)


ALL_ATTENTION_FUNCTIONS.register(NAME, _forward)
ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, sdpa_mask)
