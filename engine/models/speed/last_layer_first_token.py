"""Classifiers whose last layer computes only what their head reads: the first token of each text.

Keys and values are computed for all tokens; query, feed-forward part and norms for the first token alone, and so the layer returns the
hidden states of that token. Logits and gradients are those of the whole layer. Knows which families' heads read the first token. Does
not know tasks or training.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
from transformers.models.bert.modeling_bert import eager_attention_forward

from engine.models.speed.handle import Handle
from engine.models.speed.unpadding import STACKS, Packing
from engine.models.unwrap import FamilyModule


def fits(model: FamilyModule) -> bool:
    """Whether `model` is a classifier of a family whose head, or the pooler before it, reads the first token's states."""
    config = model.config
    if config.model_type not in STACKS or getattr(config, "is_decoder", False):
        return False
    expected: Any = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(config)]
    return type(model) is expected


def enable(model: FamilyModule) -> Handle:
    """Let the last layer of `model` compute the first token alone; parameters and their names stay as they are.

    `last_hidden_state` is [b, 1, hidden] then.
    """
    stack: FamilyModule = getattr(model.base_model, STACKS[model.config.model_type])
    last = stack.layer[-1]
    last.forward = partial(_distilbert if model.config.model_type == "distilbert" else _bert, last)

    def restore() -> None:
        del last.forward  # back to the class's own

    return Handle(restore)


def _bert(
    layer: FamilyModule, hidden: torch.Tensor, mask: torch.Tensor | None = None, *_: Any, **options: Any
) -> torch.Tensor:
    """The output of a layer of BERT, or of a family built like it, for each text's first token: [b, t, h] to [b, 1, h]."""
    attention, first = layer.attention, _first(hidden, options)
    own = attention.self
    attended = _attention(own, own.query(first), own.key(hidden), own.value(hidden), mask, options)
    return layer.feed_forward_chunk(attention.output(attended, first))


def _distilbert(
    layer: FamilyModule, hidden: torch.Tensor, mask: torch.Tensor | None = None, **options: Any
) -> torch.Tensor:
    own, first = layer.attention, _first(hidden, options)
    attended = own.out_lin(_attention(own, own.q_lin(first), own.k_lin(hidden), own.v_lin(hidden), mask, options))
    attended = layer.sa_layer_norm(attended + first)
    return layer.output_layer_norm(layer.ffn(attended) + attended)


def _first(hidden: torch.Tensor, options: dict[str, Any]) -> torch.Tensor:
    """The first token of each text: [b, 1, h] of a padded batch [b, t, h], [1, b, h] of an unpadded one [1, n, h]."""
    packing: Packing | None = options.get("packing")
    return hidden[:, :1] if packing is None else hidden[:, packing.offsets[:-1]]


def _attention(
    own: FamilyModule,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    options: dict[str, Any],
) -> torch.Tensor:
    attend = ALL_ATTENTION_FUNCTIONS.get_interface(own.config._attn_implementation, eager_attention_forward)
    query, key, value = (
        tensor.unflatten(-1, (-1, own.attention_head_size)).transpose(1, 2) for tensor in (query, key, value)
    )
    dropout = own.dropout.p if own.training else 0.0
    mask = None if mask is None else mask[:, :, :1]
    output, _ = attend(own, query, key, value, mask, dropout=dropout, scaling=own.scaling, **options)
    return output.flatten(2)
