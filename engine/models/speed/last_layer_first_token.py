"""Classifiers whose last layer computes no more than their head looks at: the first token of each text.

Keys and values are of all tokens, as ever; query, feed-forward part and norms are of the first alone, and so are the hidden states that
leave the layer. Logits and gradients are those of the whole layer. Knows which families' heads look there. Does not know tasks or
training.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
from transformers.models.bert.modeling_bert import eager_attention_forward

from engine.models.speed.unpadding import STACKS, Row


def fits(model: PreTrainedModel) -> bool:
    """Whether `model` is a classifier of a family whose head, or the pooler before it, takes the first token's states."""
    config = model.config
    if config.model_type not in STACKS or getattr(config, "is_decoder", False):
        return False
    return type(model) is MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(config)]


def use(model: PreTrainedModel) -> None:
    """Let the last layer of `model` compute the first token alone from now on; names and weights stay as they are.

    `last_hidden_state` is [b, 1, hidden] then.
    """
    stack: nn.Module = getattr(model.base_model, STACKS[model.config.model_type])
    last = stack.layer[-1]
    last.forward = partial(_distilbert if model.config.model_type == "distilbert" else _bert, last)


def _bert(
    layer: nn.Module, hidden: torch.Tensor, mask: torch.Tensor | None = None, *_: Any, **options: Any
) -> torch.Tensor:
    """What a layer of BERT, or of a family that is built like it, says of each text's first token, [b, 1, h] of [b, t, h]."""
    attention, first = layer.attention, _first(hidden, options)
    own = attention.self
    said = _attended(own, own.query(first), own.key(hidden), own.value(hidden), mask, options)
    return layer.feed_forward_chunk(attention.output(said, first))


def _distilbert(
    layer: nn.Module, hidden: torch.Tensor, mask: torch.Tensor | None = None, **options: Any
) -> torch.Tensor:
    own, first = layer.attention, _first(hidden, options)
    said = own.out_lin(_attended(own, own.q_lin(first), own.k_lin(hidden), own.v_lin(hidden), mask, options))
    said = layer.sa_layer_norm(said + first)
    return layer.output_layer_norm(layer.ffn(said) + said)


def _first(hidden: torch.Tensor, options: dict[str, Any]) -> torch.Tensor:
    """The first token of each text: of padded rows [b, t, h], [b, 1, h]; of texts that lie end to end [1, n, h], [1, b, h]."""
    row: Row | None = options.get("row")
    return hidden[:, :1] if row is None else hidden[:, row.edges[:-1]]


def _attended(
    own: nn.Module,
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
    said, _ = attend(own, query, key, value, mask, dropout=dropout, scaling=own.scaling, **options)
    return said.flatten(2)
