"""The parts of a tagger's report: types, groups of errors with examples, one record a row.

Knows matches and counts and turns them into plain JSON-able parts. Does not know baselines or the verdict.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.core.text import Text
from engine.evaluation.intervals import Statistics, interval, resample
from engine.evaluation.slices import LEAST_ROWS, Group
from engine.schema import Example
from engine.tasks.ner.counts import Spans, per_type, type_metrics_from_counts
from engine.tasks.ner.errors import KINDS, RIGHT, Match, compare
from engine.tasks.ner.marks import window

EXAMPLES = 6  # of each kind of error in the report


def type_rows(
    statistics: Statistics,
    types: Sequence[str],
    train: Sequence[Example],
    samples: int,
    confidence: float,
    seed: int,
) -> list[dict[str, Any]]:
    """Each type: precision, recall, F1 with its interval, entities in test and training. What the rows say nothing about is None."""
    metrics_from = type_metrics_from_counts(len(types))
    sums = statistics.sum(axis=0)
    values, spread = metrics_from(sums), resample(statistics, metrics_from, samples, seed)["f1"]
    _, given, gold = per_type(sums, len(types))
    trained = Counter(span["label"] for example in train for span in example.target)
    rows = []
    for index, label in enumerate(types):
        f1 = interval(float(values["f1"][index]), spread[:, index], int(gold[index] + given[index]), confidence)
        tested = gold[index] > 0
        rows.append(
            {
                "label": label,
                "precision": _number(values["precision"][index]),
                "recall": _number(values["recall"][index]),
                "f1": _number(f1.value) if tested else None,
                "f1_low": _number(f1.low) if tested else None,
                "f1_high": _number(f1.high) if tested else None,
                "support": int(gold[index]),
                "given": int(given[index]),
                "train_support": trained[label],
            }
        )
    return rows


def error_groups(matches: Sequence[Sequence[Match]], test: Sequence[Example]) -> list[dict[str, Any]]:
    """Every kind of error: how many, which types, and some examples, those of the surest answers first."""
    entries: dict[str, list[tuple[Match, Example, Sequence[Match]]]] = defaultdict(list)
    for example, row in zip(test, matches, strict=True):
        for match in row:
            if match.kind != RIGHT:
                entries[match.kind].append((match, example, row))
    groups = []
    for kind in KINDS:
        members = entries[kind]
        pairs = Counter(match.types for match, _, _ in members)
        members.sort(key=lambda member: -(member[0].given or {}).get("score", 0.0))
        groups.append(
            {
                "kind": kind,
                "count": len(members),
                "pairs": [
                    {"label": label, "prediction": prediction, "count": number}
                    for (label, prediction), number in pairs.most_common()
                ],
                "examples": [_shown(*member) for member in _spread(members)],
            }
        )
    return groups


def _spread(members: list[tuple[Match, Example, Sequence[Match]]]) -> list[tuple[Match, Example, Sequence[Match]]]:
    """A few members, one of each pair of types before a second of any, and no text twice."""
    by_pair: dict[tuple[str, str], list[Any]] = defaultdict(list)
    shown: set[int] = set()
    for member in members:
        if member[1].row not in shown:
            shown.add(member[1].row)
            by_pair[member[0].types].append(member)
    chosen: list[Any] = []
    depth = 0
    while len(chosen) < min(EXAMPLES, len(shown)):
        chosen += [group[depth] for group in by_pair.values() if len(group) > depth]
        depth += 1
    return chosen[:EXAMPLES]


def _shown(match: Match, example: Example, row: Sequence[Match]) -> dict[str, Any]:
    """One error with the text around it, offsets counted from where the text was cut."""
    first, last = window(example.inputs["text"], *match.place)

    def moved(span: dict[str, Any]) -> dict[str, Any]:
        return {**span, "start": max(span["start"], first) - first, "end": min(span["end"], last) - first}

    def within(spans: list[dict[str, Any] | None]) -> list[dict[str, Any]]:
        return [moved(span) for span in spans if span and span["start"] < last and first < span["end"]]

    return {
        "row": example.row,
        "text": example.inputs["text"][first:last],
        "cut": [first > 0, last < len(example.inputs["text"])],
        "gold": within([other.gold for other in row]),
        "given": within([other.given for other in row]),
        "at": [match.place[0] - first, match.place[1] - first],
    }


def record(example: Example, given: Spans) -> dict[str, Any]:
    """One test row with its answer and what is wrong with it, for predictions.jsonl."""
    wrong = [match for match in compare(example.target, given) if match.kind != RIGHT]
    return {
        "row": example.row,
        "inputs": {"text": example.inputs["text"]},
        "target": list(example.target),
        "prediction": [{**span, "score": round(span["score"], 6)} for span in given],
        "errors": [{"kind": match.kind, "gold": match.gold, "given": match.given} for match in wrong],
        "correct": not wrong,
    }


def entity_groups(entities: np.ndarray) -> list[Group]:
    """Rows by how many entities [n] they have, where each group has enough rows."""
    groups = [
        (Text("one entity", "1 个实体"), entities == 1),
        (Text("two or three entities", "2–3 个实体"), (entities >= 2) & (entities <= 3)),
        (Text("more entities", "更多实体"), entities > 3),
    ]
    kept = [(name, rows) for name, rows in groups if rows.sum() >= LEAST_ROWS]
    return kept if len(kept) > 1 else []


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
