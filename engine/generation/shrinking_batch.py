"""Answers written side by side, in rounds: those that are complete leave, and the others go on in a smaller batch.

transformers computes every row of a batch until the last of them is complete: short answers beside a long one are half of all steps
then. Knows models, caches and generation settings of transformers; does not know texts or forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from transformers import Cache, StoppingCriteria, StoppingCriteriaList
from transformers import GenerationConfig as HFGenerationConfig

WORTH_LEAVING = 1 / 4  # of a batch must be complete before the others are put together anew, which copies their cache
FEWEST = 8  # rows; of fewer a step hardly gets cheaper


class EnoughComplete(StoppingCriteria):
    """Ends a round once enough answers are complete: those of `complete` [b]."""

    def __init__(self, rows: int, ends: Sequence[int], device: torch.device):
        self.complete = torch.zeros(rows, dtype=torch.bool, device=device)
        self.over = False
        self._ends = torch.tensor(ends, device=device)
        self._enough = max(1, round(rows * WORTH_LEAVING))

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        self.complete |= torch.isin(input_ids[:, -1], self._ends)
        self.over = int(self.complete.sum()) >= self._enough
        return torch.full_like(self.complete, self.over)


def write_in_rounds(
    model: nn.Module,
    ids: torch.Tensor,
    mask: torch.Tensor,
    cache: Cache,
    settings: HFGenerationConfig,
    stopped: StoppingCriteriaList,
) -> list[list[int]]:
    """What `model` writes behind prompts `ids` [b, t], padded on the left as `mask` says, of which `cache` knows all but the last token:
    token ids, b lists of them, those of complete answers perhaps followed by padding. `stopped` ends everything at once.
    """
    start, end = ids.shape[1], ids.shape[1] + settings.max_new_tokens
    answers: list[list[int]] = [[] for _ in ids]
    places = torch.arange(len(ids), device=ids.device)
    while True:
        known = ids.shape[1]
        settings.max_new_tokens = end - known
        enough = EnoughComplete(len(ids), settings.eos_token_id or [], ids.device)
        ids = model.generate(
            input_ids=ids,
            attention_mask=mask,
            past_key_values=cache,
            generation_config=settings,
            stopping_criteria=StoppingCriteriaList([*stopped, enough] if len(ids) >= FEWEST else stopped),
        )
        # Otherwise the answers are as long as they may be, all complete, or stopped.
        goes_on = ~enough.complete & enough.over & (ids.shape[1] < end)
        if any(bool(criterion(ids, ()).any()) for criterion in stopped):
            goes_on[:] = False
        for place, row in zip(places[~goes_on].tolist(), ids[~goes_on].tolist(), strict=True):
            answers[place] = row[start:]
        left = goes_on.nonzero().flatten()
        if not len(left):
            return answers
        mask = torch.cat([mask[left], mask.new_ones(len(left), ids.shape[1] - known)], dim=1)
        places, ids = places[left], ids[left]
        cache.batch_select_indices(left)
