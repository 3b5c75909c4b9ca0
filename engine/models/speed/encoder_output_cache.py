"""A frozen encoder that reads every token sequence once: where the head alone is trained, nothing below it ever changes.

Knows sequences, the hidden states they had, and which heads look at the first of them alone. Does not know tasks or training. What it
holds is bounded; what does not fit is computed each time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling

from engine.models.speed import last_layer_first_token
from engine.models.speed.sequences import sequences

MOST_BYTES = 2**30  # of hidden states that are held
TOKENS_AT_ONCE = 16_384  # that are read, padding counted: a head's batches are larger than an encoder's may be


class Memory:
    """What `encoder` said of each sequence, its last hidden states [t, hidden]. Several models may have the same one."""

    def __init__(self, encoder: PreTrainedModel, most_bytes: int = MOST_BYTES):
        self.encoder = encoder.eval()
        self._states: dict[bytes, torch.Tensor] = {}
        self._room = most_bytes

    def __len__(self) -> int:
        return len(self._states)

    def recall(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor | None) -> list[torch.Tensor]:
        """The states of every row of a right-padded batch, [b, t] each, without its padding; new sequences are read and kept."""
        asked = sequences(ids, mask, types)
        new = [row for row, sequence in enumerate(asked) if sequence.key not in self._states]
        said = [self._states.get(sequence.key) for sequence in asked]
        if new:
            for row, states in zip(new, self._read(ids, mask, types, new), strict=True):
                said[row] = states[: asked[row].length]
                self._keep(asked[row].key, said[row])
        return said

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


class Remembering(nn.Module):
    """Stands where an encoder stood and answers as it does: last hidden states [b, t, hidden], and what its pooler makes of them.

    With `first` they are of the first token alone, [b, 1, hidden]. A pooler that the checkpoint lacked is part of the head and goes on
    learning; its parameters keep their names. The encoder itself is no submodule, so that nobody trains, counts or switches it.
    """

    def __init__(self, encoder: PreTrainedModel, memory: Memory, first: bool):
        super().__init__()
        self.stood_for = (encoder,)
        self.pooler: nn.Module | None = getattr(encoder, "pooler", None)
        self._memory = memory
        self._first = first

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
        **others: Any,
    ) -> BaseModelOutputWithPooling:
        """Right-padded `input_ids`, `attention_mask` and, for pairs of texts, `token_type_ids`, [b, t] each."""
        states = self._memory.recall(input_ids, attention_mask, token_type_ids)
        if self._first:
            hidden = torch.stack([of_text[:1] for of_text in states])
        else:
            hidden = pad_sequence(states, batch_first=True)
        pooled = self.pooler(hidden) if self.pooler is not None else None
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)


def can_remember(model: PreTrainedModel) -> bool:
    """Whether nothing below the head of `model` changes: no parameter of its encoder is trained, but for a new pooler, and none is dropped."""
    encoder = model.base_model
    if encoder is model:
        return False
    trained = [name for name, parameter in encoder.named_parameters() if parameter.requires_grad]
    drops = any(isinstance(module, nn.Dropout) and module.p > 0 for module in encoder.modules())
    return not drops and all(name.startswith("pooler.") for name in trained)


def remember(model: PreTrainedModel, memory: Memory | None = None, whole: bool = False) -> Memory:
    """Put a remembering encoder in the encoder's place, in place; `memory` is of one that read with the same weights.

    It answers what the head of `model` looks at, unless somebody wants the `whole` hidden states.
    """
    encoder = model.base_model
    if memory is None:
        memory = Memory(encoder)
    first = last_layer_first_token.fits(model) and not whole
    setattr(model, model.base_model_prefix, Remembering(encoder, memory, first))
    return memory


def forget(model: PreTrainedModel) -> None:
    """Put the encoder itself back, in place."""
    if isinstance(model.base_model, Remembering):
        setattr(model, model.base_model_prefix, model.base_model.stood_for[0])
