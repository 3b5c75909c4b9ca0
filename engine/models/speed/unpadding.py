"""Encoders that compute nothing for padding: between embeddings and head, the texts of a batch are concatenated into one row.

Attention within each text is variable-length attention (Dao 2023, FlashAttention-2), which needs a GPU that has its kernels;
embeddings and heads get padded tensors [b, t, ...]. Knows encoder families. Does not know tasks or training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention.varlen import varlen_attn
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from engine.models.device import Device
from engine.models.speed.handle import Handle
from engine.models.unwrap import FamilyModule

NAME = "unpadded"  # of this attention, in the configuration of a model
# The module that holds each family's layers. Layers of other families read more than hidden states, or need padded positions.
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
class Packing:
    """Where the tokens of a padded batch [b, t] stand in one concatenated row: their flat `indices` [n] in the batch, and the
    `offsets` [b + 1] at which each text begins in the row.
    """

    indices: torch.Tensor
    offsets: torch.Tensor  # int32
    shape: tuple[int, int]

    @classmethod
    def of(cls, mask: torch.Tensor) -> Packing:
        """From a mask [b, t] that is nonzero at tokens."""
        lengths = mask.sum(dim=1, dtype=torch.int32)
        offsets = functional.pad(lengths.cumsum(0, dtype=torch.int32), (1, 0))
        return cls(mask.flatten().nonzero().flatten(), offsets, (mask.shape[0], mask.shape[1]))

    def packed(self, padded: torch.Tensor) -> torch.Tensor:
        """[b, t, h] to [1, n, h]."""
        return padded.flatten(0, 1).index_select(0, self.indices)[None]

    def padded(self, packed: torch.Tensor) -> torch.Tensor:
        """[1, n, h] to [b, t, h], zeros at padding; where each text has one token, [1, b, h] to [b, 1, h]."""
        batch, length = self.shape
        if packed.shape[1] != len(self.indices):
            return packed.transpose(0, 1)
        blank = packed.new_zeros(batch * length, packed.shape[-1])
        return blank.index_copy(0, self.indices, packed[0]).view(batch, length, -1)


def fits(model: FamilyModule, device: Device) -> bool:
    """Whether `model` is of a family that can be unpadded, without attention dropout, on a device that has the kernels."""
    return (
        device.name == "cuda"
        and device.dtype in (torch.bfloat16, torch.float16)
        and torch.cuda.get_device_capability() >= FLASH_CAPABILITY
        and model.config.model_type in STACKS
        and not (
            getattr(model.config, "attention_probs_dropout_prob", 0) or getattr(model.config, "attention_dropout", 0)
        )
    )


def enable(model: FamilyModule) -> Handle:
    """Let the layers of `model` compute unpadded rows; parameters and their names stay as they are."""
    before = model.config._attn_implementation
    model.set_attn_implementation(NAME)
    stack: FamilyModule = getattr(model.base_model, STACKS[model.config.model_type])
    hooks = [
        stack.register_forward_pre_hook(_pack, with_kwargs=True),
        stack.register_forward_hook(_unpack, with_kwargs=True),
    ]
    return Handle(lambda: model.set_attn_implementation(before), *(hook.remove for hook in hooks))


def _pack(stack: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    kwargs = dict(kwargs)
    hidden = args[0] if args else kwargs.pop("hidden_states")
    mask = args[1] if len(args) > 1 else kwargs.pop("attention_mask", None)
    if mask is None:
        mask = torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device)
    packing = Packing.of(mask)
    return (packing.packed(hidden),), {**kwargs, "attention_mask": None, "packing": packing}


def _unpack(stack: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
    output.last_hidden_state = kwargs["packing"].padded(output.last_hidden_state)
    return output


def _attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    *,
    packing: Packing,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attention within each text: query, key and value [1, heads, n, d] to [1, n, heads, d].

    There may be one query a text, [1, heads, b, d].
    """
    query, key, value = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    attend = _varlen if query.is_cuda else _text_by_text
    return attend(query, key, value, packing, scaling)[None], None


def _varlen(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, packing: Packing, scaling: float | None
) -> torch.Tensor:
    """Queries, keys and values [n, heads, d] to [n, heads, d]."""
    # The padded length bounds all lengths, and is known without waiting for the GPU.
    offsets, longest = packing.offsets, packing.shape[1]
    if len(query) == len(key):
        return _kernel(query, key, value, offsets, offsets, longest, longest, scale=scaling)
    one_each = torch.arange(len(offsets), dtype=offsets.dtype, device=offsets.device)
    return _kernel(query, key, value, one_each, offsets, 1, longest, scale=scaling)


def _kernel(*inputs: Any, **options: Any) -> torch.Tensor:
    """The kernel's output alone: it returns a tuple only where the log-sum-exp is wanted as well."""
    return cast(torch.Tensor, varlen_attn(*inputs, **options))


def _text_by_text(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, packing: Packing, scaling: float | None
) -> torch.Tensor:
    """The same in a loop over texts: the reference for the kernel, not fast."""
    lengths = packing.offsets.diff().tolist()
    queries = lengths if len(query) == len(key) else [1] * len(lengths)
    parts = [
        tensor.transpose(0, 1).split(sizes, dim=1)
        for tensor, sizes in ((query, queries), (key, lengths), (value, lengths))
    ]
    outputs = [
        functional.scaled_dot_product_attention(q[None], k[None], v[None], scale=scaling)[0]
        for q, k, v in zip(*parts, strict=True)
    ]
    return torch.cat(outputs, dim=1).transpose(0, 1)


def _padding_mask(attention_mask: torch.Tensor | None = None, **others: Any) -> torch.Tensor | None:
    """The mask as given, [b, t]: testing on the GPU whether there is any padding would make the CPU wait for it."""
    return attention_mask


ALL_ATTENTION_FUNCTIONS.register(NAME, _attend)
ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, _padding_mask)
