"""Scores of classifiers: one label a text, or several.

Knows how answers become additive counts (see intervals) and counts become metrics. Does not know texts, reports or models.
scikit-learn is imported where it is used: training scores every epoch with this module and needs only numpy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.evaluation.intervals import Metrics, MetricsFrom, Statistics
from engine.schema import Example

THRESHOLD = 0.5  # from which on a label counts as given, where a text may have several
HEADLINES = ("accuracy", "macro_f1", "micro_f1", "weighted_f1")
_HEAD = 3  # columns before the counts per class: rows, rows answered exactly right, gold labels that training never saw


def class_targets(examples: Sequence[Example], labels: Sequence[str], multi_label: bool) -> np.ndarray:
    """Class indices [n], or a boolean matrix [n, classes]. A label that is not a class is -1 (or no column)."""
    index = {label: position for position, label in enumerate(labels)}
    if not multi_label:
        return np.array([index.get(example.target, -1) for example in examples], dtype=np.int64)
    matrix = np.zeros((len(examples), len(labels)), dtype=bool)
    for row, example in enumerate(examples):
        for label in example.target:
            if label in index:
                matrix[row, index[label]] = True
    return matrix


def decisions(probabilities: np.ndarray, multi_label: bool) -> np.ndarray:
    """The labels given, as a boolean matrix [n, C]: the most probable one, or every one at 0.5 and above."""
    if multi_label:
        return probabilities >= THRESHOLD
    given = np.zeros(probabilities.shape, dtype=bool)
    given[np.arange(len(given)), probabilities.argmax(axis=1)] = True
    return given


def statistics(targets: np.ndarray, probabilities: np.ndarray, unseen: np.ndarray | None = None) -> Statistics:
    """Additive counts [n, 3 + 3C]: row, exactly right, unseen gold labels, then tp, given and gold of each class.

    `targets` are class indices [n], -1 for a label that training never saw, or a boolean matrix [n, C] for several labels;
    `unseen` [n] then counts each row's labels without a column. A row with an unseen label cannot be answered right.
    """
    multi_label = targets.ndim == 2
    if multi_label:
        gold = targets.astype(bool)
        unseen = np.zeros(len(gold)) if unseen is None else unseen
    else:
        gold = targets[:, None] == np.arange(probabilities.shape[1])
        unseen = targets < 0
    given = decisions(probabilities, multi_label)
    exact = (given == gold).all(axis=1) & (unseen == 0)
    head = np.stack([np.ones(len(gold)), exact, unseen], axis=1)
    return np.concatenate([head, given & gold, given, gold], axis=1).astype(np.float64)


def metrics_from_counts(classes: int, multi_label: bool) -> MetricsFrom:
    """Sums of `statistics` [..., k] to accuracy and macro, micro and weighted F1 [...].

    Equal to scikit-learn's on the same answers. Macro F1 is the mean over the classes that occur in gold or answers, which for
    one label a text is scikit-learn's default, and for several what it gives with zero_division=nan: a class that the rows say
    nothing about is left out rather than counted as a failure. `accuracy` of several labels is that of the whole set.
    """

    def metrics_from(sums: np.ndarray) -> Metrics:
        rows, exact, unseen = (sums[..., column] for column in range(_HEAD))
        hits, given, gold = _per_class(sums, classes)
        f1 = _ratio(2 * hits, given + gold)
        occurring = ((given + gold) > 0).sum(axis=-1) + (unseen > 0)
        all_gold = gold.sum(axis=-1) + unseen
        return {
            "accuracy": _ratio(exact, rows),
            "macro_f1": _ratio(f1.sum(axis=-1), occurring),
            "micro_f1": _ratio(2 * hits.sum(axis=-1), given.sum(axis=-1) + all_gold),
            "weighted_f1": _ratio((f1 * gold).sum(axis=-1), all_gold),
        }

    return metrics_from


def class_metrics_from_counts(classes: int) -> MetricsFrom:
    """Sums of `statistics` [..., k] to each class's precision, recall and F1 [..., C]; NaN where the sums say nothing."""

    def metrics_from(sums: np.ndarray) -> Metrics:
        hits, given, gold = _per_class(sums, classes)
        return {
            "precision": _ratio(hits, given, np.nan),
            "recall": _ratio(hits, gold, np.nan),
            "f1": _ratio(2 * hits, given + gold, np.nan),
        }

    return metrics_from


def ranking_metrics(targets: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Area under the ROC curve and average precision, one class against the rest, mean over the classes with both kinds of row.

    Empty where no class has both. These do not add up over rows, so they come without an interval.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    classes = np.arange(probabilities.shape[1])
    gold = targets.astype(bool) if targets.ndim == 2 else targets[:, None] == classes
    judged = [c for c in classes if gold[:, c].any() and not gold[:, c].all()]
    if not judged:
        return {}
    return {
        "roc_auc": float(np.mean([roc_auc_score(gold[:, c], probabilities[:, c]) for c in judged])),
        "average_precision": float(np.mean([average_precision_score(gold[:, c], probabilities[:, c]) for c in judged])),
    }


def _per_class(sums: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    start = [_HEAD + part * classes for part in range(3)]
    hits, given, gold = (sums[..., first : first + classes] for first in start)
    return hits, given, gold


def _ratio(top: np.ndarray, bottom: np.ndarray, empty: float = 0.0) -> np.ndarray:
    return np.divide(top, bottom, out=np.full(np.shape(top), empty), where=np.asarray(bottom) > 0)
