"""The parts of a classification report: classes, confusion, calibration, mistakes.

Knows one scored test set (`Scored`) and turns it into plain JSON-able parts. Does not know baselines or the verdict.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.evaluation import calibration
from engine.evaluation.intervals import Statistics, interval, resample
from engine.schema import Example
from engine.tasks.classification.counts import class_metrics_from_counts, decisions, statistics

MOST_MISTAKES = 200
TOP = 3  # probabilities shown with a mistake
TOP_STORED = 5  # probabilities kept with a prediction
SURE = 0.9  # from which confidence on a disagreement hints at a wrong label
DOUBTFUL = 0.2  # up to which probability the second opinion leaves the label


@dataclass
class Scored:
    """Examples with their predictions. `gold` and `given` are boolean [n, C], `unseen` counts labels without a column."""

    examples: Sequence[Example]
    labels: list[str]
    multi_label: bool
    probabilities: np.ndarray
    gold: np.ndarray
    unseen: np.ndarray
    given: np.ndarray
    counts: Statistics

    @classmethod
    def of(cls, examples: Sequence[Example], labels: list[str], multi_label: bool, probabilities: np.ndarray) -> Scored:
        if probabilities.shape != (len(examples), len(labels)):
            raise ValueError(
                f"{len(examples)} examples and {len(labels)} labels, but probabilities {probabilities.shape}"
            )
        gold, unseen = gold_of(examples, labels)
        given = decisions(probabilities, multi_label)
        targets = gold if multi_label else np.where(gold.any(axis=1), gold.argmax(axis=1), -1)
        return cls(
            examples,
            labels,
            multi_label,
            probabilities,
            gold,
            unseen,
            given,
            statistics(targets, probabilities, unseen),
        )

    @property
    def correct(self) -> np.ndarray:
        return (self.gold == self.given).all(axis=1) & (self.unseen == 0)

    @property
    def targets(self) -> np.ndarray:
        """Class indices [n] (-1 unseen), or the boolean matrix for several labels."""
        return self.gold if self.multi_label else np.where(self.gold.any(axis=1), self.gold.argmax(axis=1), -1)

    @property
    def confidence(self) -> np.ndarray:
        """How sure each answer is [n]: its probability; for several labels, that of its least certain decision."""
        if self.multi_label:
            return np.where(self.given, self.probabilities, 1 - self.probabilities).min(axis=1)
        return self.probabilities.max(axis=1)

    def named(self, row: np.ndarray) -> Any:
        """A boolean row [C] as a label, or as a list of labels."""
        names = [self.labels[column] for column in np.flatnonzero(row)]
        return names if self.multi_label else names[0]

    def target_of(self, index: int) -> Any:
        target = self.examples[index].target
        return list(target) if self.multi_label else target


def gold_of(examples: Sequence[Example], labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Gold labels as a boolean matrix [n, C], and how many labels of each row have no column [n]."""
    column = {label: position for position, label in enumerate(labels)}
    gold, unseen = np.zeros((len(examples), len(labels)), dtype=bool), np.zeros(len(examples), dtype=np.int64)
    for row, example in enumerate(examples):
        for label in example.target if isinstance(example.target, tuple) else (example.target,):
            if label in column:
                gold[row, column[label]] = True
            else:
                unseen[row] += 1
    return gold, unseen


def class_rows(
    scored: Scored, train: Sequence[Example], samples: int, confidence: float, seed: int
) -> list[dict[str, Any]]:
    """One entry a class, in label order. What the test rows say nothing about is None."""
    metrics_from = class_metrics_from_counts(len(scored.labels))
    values = metrics_from(scored.counts.sum(axis=0))
    spread = resample(scored.counts, metrics_from, samples, seed)["f1"]
    support, train_support = scored.gold.sum(axis=0), gold_of(train, scored.labels)[0].sum(axis=0)
    # For each gold class, the other labels its rows were given wrongly when it was missed.
    wrong = scored.given & ~scored.gold
    missed = scored.gold & ~scored.given
    mixed = missed.T.astype(np.int64) @ wrong.astype(np.int64)
    rows = []
    for index, label in enumerate(scored.labels):
        tested = support[index] > 0
        f1 = interval(float(values["f1"][index]), spread[:, index], int(support[index]), confidence)
        confused = [other for other in np.argsort(-mixed[index], kind="stable")[:3] if mixed[index, other]]
        rows.append(
            {
                "label": label,
                "precision": _number(values["precision"][index]),
                "recall": _number(values["recall"][index]),
                "f1": _number(f1.value) if tested else None,
                "f1_low": _number(f1.low) if tested else None,
                "f1_high": _number(f1.high) if tested else None,
                "support": int(support[index]),
                "train_support": int(train_support[index]),
                "confused_with": [{"label": scored.labels[o], "count": int(mixed[index, o])} for o in confused],
            }
        )
    return rows


def confusion(scored: Scored) -> dict[str, Any]:
    """Counts by gold (rows) and answer (columns); for several labels one 2 x 2 table a class: [[tn, fp], [fn, tp]]."""
    gold, given = scored.gold.astype(np.int64), scored.given.astype(np.int64)
    if not scored.multi_label:
        return {"labels": scored.labels, "matrix": (gold.T @ given).tolist()}
    tables = [
        [[int(((1 - g) * (1 - p)).sum()), int(((1 - g) * p).sum())], [int((g * (1 - p)).sum()), int((g * p).sum())]]
        for g, p in zip(gold.T, given.T, strict=True)
    ]
    return {"labels": scored.labels, "per_class": tables}


def calibration_section(scored: Scored) -> dict[str, Any]:
    """Answers against their confidence; for several labels, every single decision against its probability."""
    confidence, right = confidences(scored)
    bins = calibration.reliability(confidence, right)
    return {
        "ece": calibration.expected_calibration_error(bins),
        "brier": calibration.brier_score(scored.probabilities, scored.gold, scored.multi_label),
        "bins": bins,
    }


def confidences(scored: Scored) -> tuple[np.ndarray, np.ndarray]:
    """Confidence and rightness of each answer [n], or of each decision [n * C]."""
    if scored.multi_label:
        confidence = np.where(scored.given, scored.probabilities, 1 - scored.probabilities)
        return confidence.ravel(), (scored.given == scored.gold).ravel()
    return scored.confidence, scored.correct


def mistakes(scored: Scored, second_opinion: np.ndarray | None) -> tuple[list[dict[str, Any]], int]:
    """The worst mistakes first, and how many of all may be wrong labels.

    Worst are the surest; for several labels, those with a decision furthest from the truth. `likely_mislabelled`: a disagreement at 0.9 and above that a second
    opinion (the keyword baseline's probabilities [n, C]), where there is one, clearly shares (the idea of Northcutt et al. 2021).
    """
    wrong = np.flatnonzero(~scored.correct)
    error = scored.confidence
    if scored.multi_label:
        error = np.abs(scored.probabilities - scored.gold).max(axis=1)
    suspects = np.zeros(len(scored.examples), dtype=bool)
    if not scored.multi_label:
        suspects[wrong] = (scored.confidence[wrong] >= SURE) & (scored.unseen[wrong] == 0)
        if second_opinion is not None:
            agrees = second_opinion.argmax(axis=1) == scored.probabilities.argmax(axis=1)
            suspects &= agrees & ((second_opinion * scored.gold).max(axis=1) <= DOUBTFUL)
    ordered = wrong[np.argsort(-error[wrong], kind="stable")]
    return [
        {**_answer(scored, index, TOP), "likely_mislabelled": bool(suspects[index])}
        for index in ordered[:MOST_MISTAKES]
    ], int(suspects.sum())


def predictions(scored: Scored) -> Iterator[dict[str, Any]]:
    """One entry a test row, for predictions.jsonl."""
    for index in range(len(scored.examples)):
        answer = _answer(scored, index, TOP_STORED)
        answer["target"] = answer.pop("label")
        answer["correct"] = bool(scored.correct[index])
        yield answer


def unseen_label_counts(scored: Scored) -> list[dict[str, Any]]:
    known = set(scored.labels)
    counts: Counter[str] = Counter()
    for index in np.flatnonzero(scored.unseen).tolist():
        target = scored.examples[index].target
        counts.update(label for label in (target if isinstance(target, tuple) else (target,)) if label not in known)
    return [{"label": label, "count": number} for label, number in counts.most_common()]


def _answer(scored: Scored, index: int, top: int) -> dict[str, Any]:
    example, probabilities = scored.examples[index], scored.probabilities[index]
    best = np.argsort(-probabilities, kind="stable")[:top]
    return {
        "row": example.row,
        "inputs": example.inputs,
        "label": scored.target_of(index),
        "prediction": scored.named(scored.given[index]),
        "confidence": round(float(scored.confidence[index]), 6),
        "probabilities": {scored.labels[b]: round(float(probabilities[b]), 6) for b in best},
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
