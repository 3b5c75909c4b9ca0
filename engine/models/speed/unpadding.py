"""Encoders that compute nothing for padding: between embeddings and head, the texts of a batch lie end to end in one row.

Attention within each text is variable-length attention (Dao 2023, FlashAttention-2), which needs a GPU that has its kernels;
embeddings and heads see padded tensors [b, t, ...] as ever. Knows encoder families. Does not know tasks or training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention.varlen import varlen_attn
from transformers import PreTrainedModel
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from engine.models.device import Device

NAME = "unpadded"  # of this attention, in the configuration of a model
# Where each family keeps its layers. Others see more than their text's own tokens, or find positions by the padded place.
STACKS = {
    "bert": "encoder",
    "camembert": "encoder",
    "distilbert": "transformer",
    "electra": "encoder",
    "roberta": "encoder",
    "xlm-roberta": "encoder",
}
FLASH_CAPABILITY = (8, 0)  # Ampere


@dataclass(frozen=True, slots=True)
class Row:
    """Texts that lie end to end: `places` [n] of their tokens in the padded batch [b, t], `edges` [b + 1] where each begins."""

    places: torch.Tensor
    edges: torch.Tensor  # int32
    shape: tuple[int, int]

    @classmethod
    def of(cls, mask: torch.Tensor) -> Row:
        """Of a mask [b, t] that is not 0 where a token is."""
        lengths = mask.sum(dim=1, dtype=torch.int32)
        edges = functional.pad(lengths.cumsum(0, dtype=torch.int32), (1, 0))
        return cls(mask.flatten().nonzero().flatten(), edges, (mask.shape[0], mask.shape[1]))

    def packed(self, padded: torch.Tensor) -> torch.Tensor:
        """[b, t, h] to [1, n, h]."""
        return padded.flatten(0, 1).index_select(0, self.places)[None]

    def padded(self, packed: torch.Tensor) -> torch.Tensor:
        """[1, n, h] to [b, t, h], zeros where there is no token; of one token a text, [1, b, h], to [b, 1, h]."""
        batch, length = self.shape
        if packed.shape[1] != len(self.places):
            return packed.transpose(0, 1)
        blank = packed.new_zeros(batch * length, packed.shape[-1])
        return blank.index_copy(0, self.places, packed[0]).view(batch, length, -1)


def can_unpad(model: PreTrainedModel, device: Device) -> bool:
    """Whether `model` is of a family that can be unpadded, without dropout of attention, on a device that has the kernels."""
    return (
        device.name == "cuda"
        and device.dtype in (torch.bfloat16, torch.float16)
        and torch.cuda.get_device_capability() >= FLASH_CAPABILITY
        and model.config.model_type in STACKS
        and not (
            getattr(model.config, "attention_probs_dropout_prob", 0) or getattr(model.config, "attention_dropout", 0)
        )
    )


def unpad(model: PreTrainedModel) -> None:
    """Let the layers of `model` see rows without padding from now on; its names and weights stay as they are."""
    model.set_attn_implementation(NAME)
    stack: nn.Module = getattr(model.base_model, STACKS[model.config.model_type])
    stack.register_forward_pre_hook(_pack, with_kwargs=True)
    stack.register_forward_hook(_unpack, with_kwargs=True)


def _pack(stack: nn.Module, given: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    options = dict(options)
    hidden = given[0] if given else options.pop("hidden_states")
    mask = given[1] if len(given) > 1 else options.pop("attention_mask", None)
    if mask is None:
        mask = torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device)
    row = Row.of(mask)
    return (row.packed(hidden),), {**options, "attention_mask": None, "row": row}


def _unpack(stack: nn.Module, given: tuple[Any, ...], options: dict[str, Any], said: Any) -> Any:
    said.last_hidden_state = options["row"].padded(said.last_hidden_state)
    return said


def _attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    *,
    row: Row,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attention within each text of a row: query, key and value [1, heads, n, d] to [1, n, heads, d].

    There may be one query a text, [1, heads, b, d].
    """
    query, key, value = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    attend = _by_kernel if query.is_cuda else _by_definition
    return attend(query, key, value, row, scaling)[None], None


def _by_kernel(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, row: Row, scaling: float | None
) -> torch.Tensor:
    """Queries, keys and values [n, heads, d] to [n, heads, d]."""
    edges, most = row.edges, row.shape[1]  # a bound is enough, and known without waiting for the GPU
    if len(query) == len(key):
        return varlen_attn(query, key, value, edges, edges, most, most, scale=scaling)
    one = torch.arange(len(edges), dtype=edges.dtype, device=edges.device)
    return varlen_attn(query, key, value, one, edges, 1, most, scale=scaling)


def _by_definition(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, row: Row, scaling: float | None
) -> torch.Tensor:
    """The same, text by text: what the kernel is held against, and no way to be fast."""
    lengths = row.edges.diff().tolist()
    asked = lengths if len(query) == len(key) else [1] * len(lengths)
    parts = [
        tensor.transpose(0, 1).split(parts, dim=1)
        for tensor, parts in ((query, asked), (key, lengths), (value, lengths))
    ]
    said = [
        functional.scaled_dot_product_attention(*(part[None] for part in text), scale=scaling)[0]
        for text in zip(*parts, strict=True)
    ]
    return torch.cat(said, dim=1).transpose(0, 1)


def _tokens(attention_mask: torch.Tensor | None = None, **others: Any) -> torch.Tensor | None:
    """The mask as it came, [b, t]: asking the GPU whether there is any padding would make the CPU wait for it."""
    return attention_mask


ALL_ATTENTION_FUNCTIONS.register(NAME, _attend)
ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, _tokens)
