"""The windows of long contexts that are trained on.

Of many windows one holds the answer: training on all would cost many times as much, mostly for windows without an answer. Knows windows and their targets. Does not know models.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import groupby

from engine.schema import Feature
from engine.tasks.qa.windows import START

EMPTY_SHARE = 0.3  # of the answered questions that also keep a window without their answer


def sample_training_windows(features: Sequence[Feature]) -> list[Feature]:
    """Of every question's windows (with token targets) the one with most context around the answer, and of some questions one
    more without it; of a question that is not answered one. The same windows always give the same choice.
    """
    kept: list[Feature] = []
    for index, members in groupby(features, key=lambda feature: feature.example):
        windows = list(members)
        if len(windows) == 1:
            kept += windows
            continue
        chance = random.Random(index)
        holding = [window for window in windows if _targets(window)[0] == 0]
        empty = [window for window in windows if _targets(window)[0] != 0]
        if not holding:
            kept.append(chance.choice(empty))
            continue
        kept.append(max(holding, key=_room_around))
        if empty and chance.random() < EMPTY_SHARE:
            kept.append(chance.choice(empty))
    return kept


def _room_around(window: Feature) -> int:
    """Tokens between an answer's beginning and the nearer end of its window's context."""
    inside = [place for place, (start, end) in enumerate(window.offsets or ()) if end > start]
    first = next(place for place in inside if _targets(window)[place] & START)
    return min(first - inside[0], inside[-1] - first)


def _targets(window: Feature) -> list[int]:
    """The targets of a training window, which always has them."""
    assert window.token_targets is not None
    return window.token_targets
