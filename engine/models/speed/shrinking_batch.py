"""Batched generation in rounds: complete texts leave the batch, and the others continue in a smaller one.

transformers computes every row of a batch until the last of them is complete: with short texts beside a long one, half of all rows are
computed in vain. Knows models, caches and generation settings of transformers; does not know texts or prompt templates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import Cache, StoppingCriteria, StoppingCriteriaList
from transformers import GenerationConfig as HFGenerationConfig

from engine.models.unwrap import FamilyModule

COMPLETE_SHARE = 1 / 4  # of a batch must be complete before it shrinks, which copies the cache of the others
MIN_ROWS = 8  # of fewer rows a step is hardly cheaper


class EnoughComplete(StoppingCriteria):
    """Ends a round once enough rows of `complete` [b] are."""

    def __init__(self, rows: int, end_tokens: Sequence[int], device: torch.device):
        self.complete = torch.zeros(rows, dtype=torch.bool, device=device)
        self.over = False
        self._end_tokens = torch.tensor(end_tokens, device=device)
        self._enough = max(1, round(rows * COMPLETE_SHARE))

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        self.complete |= torch.isin(input_ids[:, -1], self._end_tokens)
        self.over = int(self.complete.sum()) >= self._enough
        return torch.full_like(self.complete, self.over)


def generate_shrinking(
    model: FamilyModule,
    ids: torch.Tensor,
    mask: torch.Tensor,
    cache: Cache,
    settings: HFGenerationConfig,
    criteria: StoppingCriteriaList,
) -> list[list[int]]:
    """What `model` generates after prompts `ids` [b, t], padded on the left as `mask` says, with a `cache` that is empty or holds all
    but the last token: b lists of token ids, complete ones perhaps followed by padding. `criteria` stop all rows at once.
    """
    start, end = ids.shape[1], ids.shape[1] + settings.max_new_tokens
    outputs: list[list[int]] = [[] for _ in ids]
    rows = torch.arange(len(ids), device=ids.device)
    while True:
        length = ids.shape[1]
        settings.max_new_tokens = end - length
        enough = EnoughComplete(len(ids), settings.eos_token_id or [], ids.device)
        ids = model.generate(
            input_ids=ids,
            attention_mask=mask,
            past_key_values=cache,
            generation_config=settings,
            stopping_criteria=StoppingCriteriaList([*criteria, enough] if len(ids) >= MIN_ROWS else criteria),
        )
        # Otherwise the texts are as long as allowed, all complete, or stopped.
        unfinished = ~enough.complete & enough.over & (ids.shape[1] < end)
        if any(bool(criterion(ids, ()).any()) for criterion in criteria):
            unfinished[:] = False
        for row, tokens in zip(rows[~unfinished].tolist(), ids[~unfinished].tolist(), strict=True):
            outputs[row] = tokens[start:]
        left = unfinished.nonzero().flatten()
        if not len(left):
            return outputs
        mask = torch.cat([mask[left], mask.new_ones(len(left), ids.shape[1] - length)], dim=1)
        rows, ids = rows[left], ids[left]
        cache.batch_select_indices(left)
