"""The token sequences of a batch, each with a key under which a model's states of it can be cached.

Knows right-padded batches. Does not know models, or what is cached.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Sequence:
    """One row of a batch: a key made of its tokens and types without the padding, and its length in tokens."""

    key: bytes
    length: int


def sequences(ids: torch.Tensor, mask: torch.Tensor | None, types: torch.Tensor | None) -> list[Sequence]:
    """The rows of a right-padded batch, [b, t] each; without a mask there is no padding."""
    rows = ids.cpu().numpy()
    lengths = [ids.shape[1]] * len(rows) if mask is None else mask.sum(dim=1).tolist()
    keys = [row[:length].tobytes() for row, length in zip(rows, lengths, strict=True)]
    if types is not None:
        type_rows = types.cpu().numpy()
        keys = [key + b"|" + row[:length].tobytes() for key, row, length in zip(keys, type_rows, lengths, strict=True)]
    return [Sequence(key, length) for key, length in zip(keys, lengths, strict=True)]
