"""Would more data help? What a learning curve of something cheap can and cannot say about it.

Knows sizes, scores and their uncertainty. Does not know what is learned at each size: the caller brings that as a function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.core.text import Text
from engine.evaluation.intervals import Difference, MetricsFrom, Statistics, paired_difference
from engine.evaluation.metric_format import count, gap, gap_range, number

SHARES = (0.125, 0.25, 0.5, 1.0)
UNSURE = 0.05  # an interval of the gain this wide leaves the question open
MEMORISED = 0.05  # lead of the training rows over the test rows worth an insight
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
    whole: Callable[[], Statistics] | None = None,
) -> LearningCurve | None:
    """`learn(indices)` learns from those training rows and gives its statistics on the test rows. None below 80 rows.

    Smaller samples are parts of the larger ones. `whole` gives the statistics with all rows where they are had anyway; it is called last.
    """
    if rows < LEAST_ROWS:
        return None
    order = np.random.default_rng(seed).permutation(rows)
    sizes = [int(rows * share) for share in SHARES]
    results = [whole() if size == rows and whole is not None else learn(np.sort(order[:size])) for size in sizes]
    scores = [float(metrics_from(result.sum(axis=0))[metric]) for result in results]
    doubling = paired_difference(results[-1], results[-2], metrics_from, metric, samples, confidence, seed)
    return LearningCurve(sizes, scores, doubling)


def conclusion(
    curve: LearningCurve, metric: str, value: float, train_value: float | None, confidence: float, tested: int
) -> Text:
    """What the curve allows to say, and what it does not.

    `value` is the tuned model's score on the `tested` test rows, `train_value` its score on training rows, where known.
    """
    half, whole = curve.sizes[-2:]
    before, after = (number(metric, score, tested) for score in curve.scores[-2:])
    moved = Text(f"went from {before} to {after}", f"从 {before} 变为 {after}")
    if before == after:
        moved = Text(f"stayed at {after}", f"停在 {after}")
    gain, apart = gap(metric, curve.doubling.value), gap_range(metric, curve.doubling.low, curve.doubling.high)
    if curve.doubling.is_better(confidence):
        text = Text(
            f"More data would probably help. From {count(half)} to {count(whole)} training rows the keyword baseline rose from {before} to {after} (by {gain.en}) and has not levelled off.",
            f"更多数据很可能有帮助。训练数据从 {count(half)} 行增加到 {count(whole)} 行时，关键词基线从 {before} 升到 {after}（提高 {gain.zh}），尚未见顶。",
        )
    elif curve.doubling.high - curve.doubling.low > UNSURE:
        text = Text(
            f"Whether more data would help cannot be told from {count(tested)} test rows. From {count(half)} to {count(whole)} training rows the keyword baseline {moved.en}, a change of {apart.en}.",
            f"仅凭 {count(tested)} 行测试数据，还看不出更多数据是否有帮助。训练数据从 {count(half)} 行增加到 {count(whole)} 行时，关键词基线{moved.zh}，变化幅度为 {apart.zh}。",
        )
    else:
        text = Text(
            f"More of the same data would probably not help much. From {count(half)} to {count(whole)} training rows the keyword baseline {moved.en} (the interval of the change is {apart.en}).",
            f"继续增加同类数据，帮助可能不大。训练数据从 {count(half)} 行增加到 {count(whole)} 行时，关键词基线{moved.zh}（变化的置信区间为 {apart.zh}）。",
        )
    if train_value is not None and train_value - value > MEMORISED:
        on_training, on_test = number(metric, train_value, tested), number(metric, value, tested)
        text = Text(
            f"{text.en} The tuned model knows its training rows far better ({on_training}) than new ones ({on_test}), a gap that more rows usually narrow.",
            f"{text.zh}微调后的模型在训练数据上（{on_training}）远好于新数据（{on_test}），增加数据通常能缩小这种差距。",
        )
    return Text(
        f"{text.en} This was measured with keywords, which is cheap; the tuned model was trained once, on all rows, and may behave differently.",
        f"{text.zh}以上用成本很低的关键词方法测得；微调模型只在全部数据上训练了一次，表现可能有所不同。",
    )
