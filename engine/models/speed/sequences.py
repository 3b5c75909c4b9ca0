"""The token sequences of a batch, each with a key by which what a model said of it can be kept.

Knows right-padded batches. Does not know models, or what is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


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
