"""Would more data help? What a learning curve of something cheap can and cannot say about it.

Knows sizes, scores and their uncertainty. Does not know what is learned at each size: the caller brings that as a function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.evaluation.intervals import Difference, MetricsFrom, Statistics, paired_difference
from engine.evaluation.words import count, gap, gap_range, number
from engine.text import Text

SHARES = (0.125, 0.25, 0.5, 1.0)
LEAST_ROWS = 80  # below this an eighth is too little to learn from


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """Scores on the test rows after learning from ever more training rows. `doubling` compares all of them with half."""

    sizes: list[int]
    scores: list[float]
    doubling: Difference


def learning_curve(
    learn: Callable[[np.ndarray], Statistics],
    rows: int,
    metrics_from: MetricsFrom,
    metric: str,
    samples: int,
    confidence: float,
    seed: int,
    whole: Statistics | None = None,
) -> LearningCurve | None:
    """`learn(indices)` learns from those training rows and gives its statistics on the test rows. None below 80 rows.

    Smaller samples are parts of the larger ones. `whole` are the statistics with all rows, where they are known already.
    """
    if rows < LEAST_ROWS:
        return None
    order = np.random.default_rng(seed).permutation(rows)
    sizes = [int(rows * share) for share in SHARES]
    results = [whole if size == rows and whole is not None else learn(np.sort(order[:size])) for size in sizes]
    scores = [float(metrics_from(result.sum(axis=0))[metric]) for result in results]
    doubling = paired_difference(results[-1], results[-2], metrics_from, metric, samples, confidence, seed)
    return LearningCurve(sizes, scores, doubling)


def says(curve: LearningCurve, metric: str, facts: dict[str, Any], confidence: float, tested: int) -> Text:
    """What the curve allows to say, and what it does not. `tested` is the number of test rows."""
    half, whole = curve.sizes[-2:]
    before, after = (number(metric, score, tested) for score in curve.scores[-2:])
    gain, apart = gap(metric, curve.doubling.value), gap_range(metric, curve.doubling.low, curve.doubling.high)
    if curve.doubling.is_better(confidence):
        text = Text(
            f"More data would probably help. From {count(half)} to {count(whole)} training rows the keyword baseline rose from {before} to {after} (+{gain.en}) and has not levelled off.",
            f"更多数据很可能有帮助。训练数据从 {count(half)} 行增加到 {count(whole)} 行时，关键词基线从 {before} 升到 {after}（+{gain.zh}），尚未见顶。",
        )
    else:
        text = Text(
            f"More of the same data would probably not help much. From {count(half)} to {count(whole)} training rows the keyword baseline went from {before} to {after}, a difference of {apart.en} that may be chance.",
            f"继续增加同类数据，帮助可能不大。训练数据从 {count(half)} 行增加到 {count(whole)} 行时，关键词基线从 {before} 变为 {after}，差距为 {apart.zh}，可能只是偶然。",
        )
    train_loss, held_loss = _last_losses(facts.get("history") or [])
    if train_loss is not None and held_loss is not None and held_loss > 2 * train_loss:
        text = Text(
            f"{text.en} The tuned model itself fits its training rows far better than new ones (loss {train_loss:.2f} against {held_loss:.2f}), a gap that more rows usually narrow.",
            f"{text.zh}微调后的模型对训练数据的拟合远好于新数据（损失 {train_loss:.2f} 对 {held_loss:.2f}），增加数据通常能缩小这种差距。",
        )
    return Text(
        f"{text.en} This was measured with keywords, which is cheap; the tuned model was trained once, on all rows, and may behave differently.",
        f"{text.zh}以上用成本很低的关键词方法测得；微调模型只在全部数据上训练了一次，表现可能有所不同。",
    )


def _last_losses(history: list[dict[str, Any]]) -> tuple[float | None, float | None]:
    """The last training loss and the last validation loss on record."""
    train = [entry["train_loss"] for entry in history if entry.get("train_loss") is not None]
    held = [(entry.get("validation") or {}).get("loss") for entry in history]
    held = [loss for loss in held if loss is not None]
    return (train[-1] if train else None, held[-1] if held else None)
