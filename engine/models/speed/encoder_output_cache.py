"""The outputs of a frozen encoder, computed once a token sequence: where the head alone is trained, nothing below it changes.

Knows token sequences, their last hidden states, and which heads read the first token alone. Does not know tasks or training. The
cache is bounded; what does not fit is computed each time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from transformers.modeling_outputs import BaseModelOutputWithPooling

from engine.models.speed import last_layer_first_token
from engine.models.speed.sequences import sequences
from engine.models.unwrap import FamilyModule

MAX_BYTES = 2**30  # of cached hidden states
MAX_TOKENS = 16_384  # encoded at a time, padding counted: the batches of a head may be larger than those of an encoder


class EncoderOutputCache:
    """The last hidden states [t, hidden] of `encoder` for each sequence. Several models may share one cache."""

    def __init__(self, encoder: FamilyModule, max_bytes: int = MAX_BYTES):
        self.encoder = encoder.eval()
        self._states: dict[bytes, torch.Tensor] = {}
        self._free_bytes = max_bytes

    def __len__(self) -> int:
        return len(self._states)

    def states(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor | None) -> list[torch.Tensor]:
        """The states of each row of a right-padded batch, [b, t] each, without padding; new sequences are encoded and cached."""
        rows = sequences(ids, mask, types)
        states = {index: self._states[row.key] for index, row in enumerate(rows) if row.key in self._states}
        new = [index for index in range(len(rows)) if index not in states]
        if new:
            for index, encoded in zip(new, self._encode(ids, mask, types, new), strict=True):
                states[index] = encoded[: rows[index].length]
                self._store(rows[index].key, states[index])
        return [states[index] for index in range(len(rows))]

    def _encode(
        self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor | None, rows: list[int]
    ) -> torch.Tensor:
        width = int(mask[rows].sum(dim=1).max())
        inputs = {"input_ids": ids, "attention_mask": mask, **({} if types is None else {"token_type_ids": types})}
        size = max(1, MAX_TOKENS // width)
        hidden = []
        with torch.no_grad():
            for start in range(0, len(rows), size):
                part = rows[start : start + size]
                batch = {name: tensor[part, :width] for name, tensor in inputs.items()}
                hidden.append(self.encoder(**batch).last_hidden_state)
        return torch.cat(hidden)

    def _store(self, key: bytes, states: torch.Tensor) -> None:
        size = states.numel() * states.element_size()
        if key not in self._states and size <= self._free_bytes:
            self._free_bytes -= size
            # A view would keep the whole batch alive, and an inference tensor cannot take part in training later.
            with torch.inference_mode(False):
                self._states[key] = states.clone()


class CachedEncoder(nn.Module):
    """Replaces an encoder and returns the same last hidden states [b, t, hidden], and its pooler's output of them.

    With `first_token` they are those of the first token alone, [b, 1, hidden]. A pooler that the checkpoint lacked is part of the head
    and is trained; its parameters keep their names. The encoder itself is no submodule, so that its parameters are neither trained nor
    counted, and train() does not reach it.
    """

    def __init__(self, encoder: FamilyModule, cache: EncoderOutputCache, first_token: bool):
        super().__init__()
        self.replaced = (encoder,)
        self.pooler: nn.Module | None = getattr(encoder, "pooler", None)
        self._cache = cache
        self._first_token = first_token

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
        **others: Any,
    ) -> BaseModelOutputWithPooling:
        """Right-padded `input_ids`, `attention_mask` and, for pairs of texts, `token_type_ids`, [b, t] each."""
        states = self._cache.states(input_ids, attention_mask, token_type_ids)
        if self._first_token:
            hidden = torch.stack([row[:1] for row in states])
        else:
            hidden = pad_sequence(states, batch_first=True)
        pooled = self.pooler(hidden) if self.pooler is not None else None
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)


def fits(model: FamilyModule) -> bool:
    """Whether nothing below the head of `model` changes: no encoder parameter but a new pooler's is trained, and there is no dropout."""
    encoder = model.base_model
    if encoder is model:
        return False
    trained = [name for name, parameter in encoder.named_parameters() if parameter.requires_grad]
    dropout = any(isinstance(module, nn.Dropout) and module.p > 0 for module in encoder.modules())
    return not dropout and all(name.startswith("pooler.") for name in trained)


def enable(
    model: FamilyModule, cache: EncoderOutputCache | None = None, all_tokens: bool = False
) -> EncoderOutputCache:
    """Put a CachedEncoder in the encoder's place. `cache` is that of a model whose encoder has the same weights.

    It returns the tokens that the head of `model` reads, or the hidden states of `all_tokens`.
    """
    encoder = model.base_model
    if cache is None:
        cache = EncoderOutputCache(encoder)
    first_token = last_layer_first_token.fits(model) and not all_tokens
    setattr(model, model.base_model_prefix, CachedEncoder(encoder, cache, first_token))
    return cache


def disable(model: FamilyModule) -> None:
    """Put the encoder itself back."""
    if isinstance(model.base_model, CachedEncoder):
        setattr(model, model.base_model_prefix, model.base_model.replaced[0])
