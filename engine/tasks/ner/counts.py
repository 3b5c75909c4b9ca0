"""Entities counted strictly: an entity is right when start, end and type are.

Precision, recall and F1 of such counts are what seqeval calls strict (and CoNLL-2003 scored, Tjong Kim Sang & De Meulder 2003).
Knows spans and sums; does not know texts or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.evaluation.intervals import Metrics, MetricsFrom, Statistics

Spans = Sequence[dict[str, Any]]  # start, end, label


def statistics(gold: Sequence[Spans], given: Sequence[Spans], labels: Sequence[str]) -> Statistics:
    """Additive counts [n, 1 + 3K]: gold entities of a type that is not in `labels`, then hits, given and gold of each type."""
    index = {label: position for position, label in enumerate(labels)}
    types = len(labels)
    counts = np.zeros((len(gold), 1 + 3 * types))
    for row, (true_spans, predicted_spans) in zip(counts, zip(gold, given, strict=True), strict=True):
        true, answered = places(true_spans), places(predicted_spans)
        for place in answered:
            row[1 + types + index[place[2]]] += 1
            row[1 + index[place[2]]] += place in true
        for place in true:
            if place[2] in index:
                row[1 + 2 * types + index[place[2]]] += 1
            else:
                row[0] += 1
    return counts


def places(spans: Spans) -> set[tuple[int, int, str]]:
    """Spans as what makes them equal; one that is given twice counts once."""
    return {(span["start"], span["end"], span["label"]) for span in spans}


def metrics_from_counts(types: int) -> MetricsFrom:
    """Sums of `statistics` [..., 1 + 3K] to precision, recall and F1 over all entities, and the mean F1 of the types [...].

    Equal to seqeval's in strict mode, its `zero_division` left at 0: macro F1 is the mean over the types that occur in gold or
    answers. The types that are not among the K count as one more.
    """

    def metrics_from(sums: np.ndarray) -> Metrics:
        unknown = sums[..., 0]
        hits, given, gold = per_type(sums, types)
        each = scores(hits, given, gold)["f1"]
        occurring = ((given + gold) > 0).sum(axis=-1) + (unknown > 0)
        all_hits, all_given, all_gold = hits.sum(axis=-1), given.sum(axis=-1), gold.sum(axis=-1) + unknown
        return {
            **scores(all_hits, all_given, all_gold),
            "macro_f1": ratio(each.sum(axis=-1), occurring),
        }

    return metrics_from


def type_metrics_from_counts(types: int) -> MetricsFrom:
    """Sums of `statistics` to each type's precision, recall and F1 [..., K]; NaN where the sums say nothing."""

    def metrics_from(sums: np.ndarray) -> Metrics:
        hits, given, gold = per_type(sums, types)
        per_type_scores = scores(hits, given, gold)
        return {
            "precision": np.where(given > 0, per_type_scores["precision"], np.nan),
            "recall": np.where(gold > 0, per_type_scores["recall"], np.nan),
            "f1": np.where(given + gold > 0, per_type_scores["f1"], np.nan),
        }

    return metrics_from


def scores(hits: np.ndarray, given: np.ndarray, gold: np.ndarray) -> Metrics:
    """Precision, recall and their harmonic mean; 0 where there is nothing to divide by."""
    precision, recall = ratio(hits, given), ratio(hits, gold)
    return {"f1": ratio(2 * precision * recall, precision + recall), "precision": precision, "recall": recall}


def per_type(sums: np.ndarray, types: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hits, given and gold, each [..., K]."""
    hits, given, gold = (sums[..., 1 + part * types : 1 + (part + 1) * types] for part in range(3))
    return hits, given, gold


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """`above` / `below`, 0 where there is nothing to divide by."""
    return np.divide(above, below, out=np.zeros(np.shape(above)), where=np.asarray(below) > 0)
