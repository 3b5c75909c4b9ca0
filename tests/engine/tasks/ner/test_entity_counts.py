"""Strict entity scores are seqeval's, to the last digit.

Run: python -m pytest tests/engine/evaluation/ner/test_entity_counts.py
"""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.scheme import IOB2

from engine.tasks.ner.bio import spans_of, tag_names
from engine.tasks.ner.counts import metrics_from_counts, statistics, type_metrics_from_counts

LABELS = ["LOC", "ORG", "PER"]


def sequences(seed: int, rows: int, legal_share: float) -> list[list[str]]:
    """Random tag sequences; a part of their tags is thrown in without regard to what is legal."""
    rng, names = random.Random(seed), tag_names(LABELS)
    result = []
    for _ in range(rows):
        row: list[str] = []
        while len(row) < rng.randint(1, 14):
            if rng.random() < legal_share:
                label = rng.choice(LABELS)
                row += rng.choice(
                    [
                        ["O"],
                        ["O", "O"],
                        [f"B-{label}"],
                        [f"B-{label}", f"I-{label}"],
                        [f"B-{label}"] + [f"I-{label}"] * 3,
                    ]
                )
            else:
                row.append(rng.choice(names))
        result.append(row)
    return result


def disturbed(gold: list[list[str]], seed: int) -> list[list[str]]:
    rng, names = random.Random(seed), tag_names(LABELS)
    return [[tag if rng.random() < 0.8 else rng.choice(names) for tag in row] for row in gold]


def spans(rows: list[list[str]]) -> list[list[dict]]:
    number = {name: index for index, name in enumerate(tag_names(LABELS))}
    return [
        [{"start": a, "end": b, "label": LABELS[label]} for a, b, label in spans_of([number[tag] for tag in row])]
        for row in rows
    ]


ODD = [
    (["I-PER", "I-PER", "O"], ["B-PER", "I-PER", "O"]),
    (["B-PER", "I-LOC", "I-LOC"], ["B-PER", "B-LOC", "I-LOC"]),
    (["B-PER", "I-PER", "B-PER"], ["B-PER", "B-PER", "I-PER"]),
    (["O", "O", "O"], ["O", "O", "O"]),
    (["B-LOC", "O", "I-LOC"], ["B-LOC", "I-LOC", "I-LOC"]),
    (["I-ORG"], ["I-ORG"]),
]
CASES = {
    "odd": tuple(map(list, zip(*ODD, strict=True))),
    "nothing found": ([["B-PER", "O"], ["B-LOC"]], [["O", "O"], ["O"]]),
    "nothing to find": ([["O", "O"]], [["B-PER", "O"]]),
    "nothing at all": ([["O", "O"]], [["O", "O"]]),
    **{f"random {seed}": (gold, disturbed(gold, seed + 100)) for seed in range(12) for gold in [sequences(seed, 30, 0.9)]},
    "illegal": (sequences(7, 40, 0.0), sequences(8, 40, 0.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_equal_to_seqeval(name):
    gold, given = CASES[name]
    given = [(row + ["O"] * len(target))[: len(target)] for row, target in zip(given, gold, strict=True)]
    counts = statistics(spans(gold), spans(given), LABELS).sum(axis=0)
    ours = metrics_from_counts(len(LABELS))(counts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        strict = {"mode": "strict", "scheme": IOB2}
        assert float(ours["f1"]) == f1_score(gold, given, **strict)
        assert float(ours["precision"]) == precision_score(gold, given, **strict)
        assert float(ours["recall"]) == recall_score(gold, given, **strict)
        report = classification_report(gold, given, output_dict=True, **strict) if _occur(gold, given) else {}
    types = type_metrics_from_counts(len(LABELS))(counts)
    for index, label in enumerate(LABELS):
        for metric in ("precision", "recall", "f1"):
            expected = report.get(label, {}).get("f1-score" if metric == "f1" else metric, float("nan"))
            value = float(types[metric][index])
            # seqeval writes 0 where there is nothing to divide by; here that is not a number.
            assert value == expected or (np.isnan(value) and (np.isnan(expected) or expected == 0.0))
    if report:
        assert float(ours["macro_f1"]) == pytest.approx(report["macro avg"]["f1-score"], abs=1e-15)


def _occur(*sides: list[list[str]]) -> bool:
    return any(tag != "O" for side in sides for row in spans_or_none(side) for tag in row)


def spans_or_none(side: list[list[str]]) -> list[list[str]]:
    return [[one["label"] for one in row] for row in spans(side)]


def test_types_that_training_never_had_are_missed():
    gold = [[{"start": 0, "end": 1, "label": "NEW"}, {"start": 2, "end": 3, "label": "PER"}]]
    given = [[{"start": 2, "end": 3, "label": "PER", "score": 0.9}]]
    counts = statistics(gold, given, LABELS)
    metrics = metrics_from_counts(3)(counts.sum(axis=0))
    assert metrics["recall"] == 0.5 and metrics["precision"] == 1.0 and metrics["macro_f1"] == 0.5


def test_a_span_given_twice_counts_once_and_counts_add_up():
    one = {"start": 0, "end": 2, "label": "PER"}
    rows = statistics([[one, one], [one]], [[one], [one, one]], LABELS)
    assert rows.tolist() == [[0, 0, 0, 1, 0, 0, 1, 0, 0, 1]] * 2
    assert metrics_from_counts(3)(np.stack([rows[0], rows.sum(axis=0)]))["f1"].tolist() == [1.0, 1.0]
