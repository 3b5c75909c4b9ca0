"""Answers as spans of the original text: ranked by the logits of their tokens, and compared with the score of no answer.

Scores are sums of logits, as in BERT's reading of SQuAD (Devlin et al. 2019): of a span's first and last token, and of the
first token of a window for "no answer in it". Knows arrays and offsets. Does not know models, texts or metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.schema import IGNORED, Feature
from engine.tasks.qa.windows import END, START

KEPT_SPANS = 20  # of each question
CANDIDATES = 200  # of a window, from which the spans without overlap are taken
ALTERNATIVES = 4  # spans that overlap none of the better ones, beside the best


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end) in characters of the context."""

    start: int
    end: int
    score: float

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(slots=True)
class Prediction:
    """The prediction for one question: the best spans, the best of them that do not overlap, and the score of no answer.

    `windows` are the sequences with the logits [t, 2] behind it.
    """

    spans: list[Span]
    apart: list[Span]
    null: float
    windows: list[tuple[Feature, np.ndarray]] = field(default_factory=list)

    @property
    def difference(self) -> float:
        """The score of no answer less that of the best one: the quantity that SQuAD 2.0's threshold is set on."""
        return self.null - self.spans[0].score if self.spans else np.inf

    def probabilities(self, spans: Sequence[Span], unanswerable: bool) -> tuple[list[float], float]:
        """Shares of each of `spans`, and of no answer: a softmax over the kept spans, and no answer where that is possible."""
        scores = np.array([span.score for span in self.spans] + ([self.null] if unanswerable else []))
        if not len(scores):
            return [], 1.0
        highest = scores.max()
        total = np.exp(scores - highest).sum()
        no_answer = float(np.exp(self.null - highest) / total) if unanswerable else 0.0
        return [float(np.exp(span.score - highest) / total) for span in spans], no_answer


def best_spans(logits: np.ndarray, offsets: np.ndarray, longest: int, limit: int) -> list[Span]:
    """The spans of one window with the highest scores, best first.

    `logits` [t, 2] (start, end) and `offsets` [t, 2] belong to the same tokens. A span begins no later than it ends, consists of
    tokens of the context, and is no longer than `longest` characters; a single token may be.
    """
    inside = np.flatnonzero(offsets[:, 1] > offsets[:, 0])
    if not len(inside):
        return []
    starts, ends = offsets[inside, 0], offsets[inside, 1]
    scores = logits[inside, 0][:, None].astype(np.float64) + logits[inside, 1][None, :]
    size = np.arange(len(inside))
    valid = (size[:, None] <= size[None, :]) & (ends[None, :] - starts[:, None] <= longest)
    np.fill_diagonal(valid, True)
    scores[~valid] = -np.inf
    flat = scores.ravel()
    count = min(limit, int(valid.sum()))
    chosen = np.argpartition(-flat, count - 1)[:count]
    chosen = chosen[np.argsort(-flat[chosen], kind="stable")]
    first, last = np.unravel_index(chosen, scores.shape)
    return [
        Span(int(start), int(end), float(score))
        for start, end, score in zip(starts[first], ends[last], flat[chosen], strict=True)
    ]


def rank_spans(windows: Sequence[tuple[Feature, np.ndarray]], longest: int) -> Prediction:
    """The prediction of one question from the logits of all its windows (padded ones are cut to their feature).

    A span in several windows has the best of its scores; no answer has the lowest, because it must hold in every window.
    """
    cut = [(feature, logits[: len(feature)]) for feature, logits in windows]
    best: dict[tuple[int, int], Span] = {}
    for feature, logits in cut:
        for span in best_spans(logits, np.asarray(feature.offsets).reshape(-1, 2), longest, CANDIDATES):
            place = (span.start, span.end)
            if place not in best or best[place].score < span.score:
                best[place] = span
    ranked = sorted(best.values(), key=lambda span: (-span.score, span.start, span.end))
    apart: list[Span] = []
    for span in ranked:
        if len(apart) > ALTERNATIVES:
            break
        if not any(span.overlaps(other) for other in apart):
            apart.append(span)
    null = min((float(logits[0].sum()) for _, logits in cut), default=0.0)
    return Prediction(ranked[:KEPT_SPANS], apart, null, cut)


def log_loss(logits: np.ndarray, targets: np.ndarray) -> float:
    """The negative log-likelihood of the right first and last tokens of one window, mean of the two; as the training loss has it."""
    allowed = targets != IGNORED
    total = 0.0
    for column, bit in ((0, START), (1, END)):
        right = allowed & (np.where(allowed, targets, 0) & bit > 0)
        total += _log_sum(logits[allowed, column]) - _log_sum(logits[right, column])
    return total / 2


def _log_sum(values: np.ndarray) -> float:
    highest = float(values.max())
    return highest + float(np.log(np.exp(values.astype(np.float64) - highest).sum()))
