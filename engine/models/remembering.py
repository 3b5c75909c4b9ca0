"""A frozen encoder that reads every token sequence once: where the head alone is trained, nothing below it ever changes.

Knows sequences and the hidden states they had. Does not know heads, tasks or training. What it holds is bounded; what does not
fit is computed each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling

MOST_BYTES = 2**30  # of hidden states that are held
TOKENS_AT_ONCE = 16_384  # that are read, padding counted: a head's batches are larger than an encoder's may be


class Remembering(nn.Module):
    """Stands where an encoder stood and answers as it does: last hidden states [b, t, hidden], and what its pooler makes of them.

    A pooler that the checkpoint lacked is part of the head and goes on learning; its parameters keep their names. The encoder
    itself is no submodule, so that nobody trains, counts or switches it.
    """

    def __init__(self, encoder: PreTrainedModel, most_bytes: int = MOST_BYTES):
        super().__init__()
        self._encoder = (encoder.eval(),)
        self.pooler: nn.Module | None = getattr(encoder, "pooler", None)
        self._states: dict[bytes, torch.Tensor] = {}
        self._room = most_bytes

    @property
    def encoder(self) -> PreTrainedModel:
        return self._encoder[0]

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
        **others: Any,
    ) -> BaseModelOutputWithPooling:
        """Right-padded `input_ids`, `attention_mask` and, for pairs of texts, `token_type_ids`, [b, t] each."""
        asked = sequences(input_ids, attention_mask, token_type_ids)
        new = [row for row, sequence in enumerate(asked) if sequence.key not in self._states]
        fresh = self._read(input_ids, attention_mask, token_type_ids, new) if new else None
        known = fresh if fresh is not None else self._states[asked[0].key]
        hidden = torch.zeros((*input_ids.shape, known.shape[-1]), dtype=known.dtype, device=input_ids.device)
        for row, sequence in enumerate(asked):
            if sequence.key in self._states:
                hidden[row, : sequence.length] = self._states[sequence.key]
        for place, row in enumerate(new):
            states = fresh[place, : asked[row].length]
            hidden[row, : asked[row].length] = states
            self._keep(asked[row].key, states)
        pooled = self.pooler(hidden) if self.pooler is not None else None
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)

    def _read(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor | None, rows: list[int]) -> torch.Tensor:
        width = int(mask[rows].sum(dim=1).max())
        given = {"input_ids": ids, "attention_mask": mask, **({} if types is None else {"token_type_ids": types})}
        size = max(1, TOKENS_AT_ONCE // width)
        said = []
        with torch.no_grad():
            for start in range(0, len(rows), size):
                some = rows[start : start + size]
                asked = {name: tensor[some, :width] for name, tensor in given.items()}
                said.append(self.encoder(**asked).last_hidden_state)
        return torch.cat(said)

    def _keep(self, key: bytes, states: torch.Tensor) -> None:
        size = states.numel() * states.element_size()
        if key not in self._states and size <= self._room:
            self._room -= size
            # A view would hold the whole batch, and an inference tensor could be part of no graph later.
            with torch.inference_mode(False):
                self._states[key] = states.clone()


@dataclass(frozen=True, slots=True)
class Sequence:
    """What tells a row of a batch from others, its tokens and types without the padding, and how many tokens it has."""

    key: bytes
    length: int


def sequences(ids: torch.Tensor, mask: torch.Tensor | None, types: torch.Tensor | None) -> list[Sequence]:
    """The rows of a right-padded batch, [b, t] each; without a mask there is no padding."""
    rows = ids.cpu().numpy()
    lengths = [ids.shape[1]] * len(rows) if mask is None else mask.sum(dim=1).tolist()
    keys = [row[:length].tobytes() for row, length in zip(rows, lengths, strict=True)]
    if types is not None:
        kinds = types.cpu().numpy()
        keys = [key + b"|" + row[:length].tobytes() for key, row, length in zip(keys, kinds, lengths, strict=True)]
    return [Sequence(key, length) for key, length in zip(keys, lengths, strict=True)]


def can_remember(model: PreTrainedModel) -> bool:
    """Whether nothing below the head of `model` changes: no parameter of its encoder is trained, but for a new pooler, and none is dropped."""
    encoder = model.base_model
    if encoder is model:
        return False
    trained = [name for name, parameter in encoder.named_parameters() if parameter.requires_grad]
    drops = any(isinstance(module, nn.Dropout) and module.p > 0 for module in encoder.modules())
    return not drops and all(name.startswith("pooler.") for name in trained)


def remember(model: PreTrainedModel, memory: Remembering | None = None) -> Remembering:
    """Put a remembering encoder in the encoder's place, in place; `memory` is one that already read with the same weights."""
    memory = memory or Remembering(model.base_model)
    setattr(model, model.base_model_prefix, memory)
    return memory


def forget(model: PreTrainedModel) -> None:
    """Put the encoder itself back, in place."""
    if isinstance(model.base_model, Remembering):
        setattr(model, model.base_model_prefix, model.base_model.encoder)
