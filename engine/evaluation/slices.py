"""Scores on parts of the test set: is the model worse on long texts, on another script, on texts it has not seen?

Knows how rows are grouped and scored in groups, for every task. Does not know what a task's statistics mean.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.core.scripts import NAMES, script_of
from engine.core.text import Text
from engine.evaluation.intervals import MetricsFrom, Statistics, bootstrap
from engine.schema import Example

LEAST_ROWS = 20  # a smaller group has no score worth reading

# What rows are parted by, in the order it is read.
KINDS: dict[str, Text] = {
    "answerable": Text("By whether the text answers it", "按文中是否有答案"),
    "question_word": Text("By question word", "按疑问词"),
    "answer_length": Text("By length of the answer", "按答案长度"),
    "context_length": Text("By length of the context", "按原文长度"),
    "entities": Text("By number of entities", "按实体数量"),
    "length": Text("By length of text", "按文本长度"),
    "script": Text("By writing system", "按文字种类"),
    "leakage": Text("By whether training had the text", "按训练集中是否出现过"),
}

Group = tuple[Text, np.ndarray]  # its name, and which rows belong to it (boolean [n])


def joined_text(example: Example) -> str:
    return "\n".join(str(value) for value in example.inputs.values() if value)


def fingerprint(example: Example) -> str:
    """The same for rows that differ only in case and blanks."""
    return re.sub(r"\s+", " ", joined_text(example)).strip().casefold()


def seen_in_training(train: Sequence[Example], test: Sequence[Example]) -> np.ndarray:
    """Which test rows [n] have the very text of a training row."""
    train_fingerprints = {fingerprint(example) for example in train}
    return np.array([fingerprint(example) in train_fingerprints for example in test], dtype=bool)


def length_groups(test: Sequence[Example]) -> list[Group]:
    """Quarters of the rows by length in characters; none when there are too few rows or lengths hardly differ."""
    lengths = np.array([len(joined_text(example)) for example in test])
    if len(lengths) < 4 * LEAST_ROWS:
        return []
    edges = np.quantile(lengths, [0.25, 0.5, 0.75]).astype(int)
    if len(set(edges.tolist())) < 3:
        return []
    first, second, third = edges.tolist()
    return [
        (Text(f"up to {first} characters", f"不超过 {first} 字"), lengths <= first),
        (
            Text(f"{first + 1} to {second} characters", f"{first + 1}–{second} 字"),
            (lengths > first) & (lengths <= second),
        ),
        (
            Text(f"{second + 1} to {third} characters", f"{second + 1}–{third} 字"),
            (lengths > second) & (lengths <= third),
        ),
        (Text(f"over {third} characters", f"超过 {third} 字"), lengths > third),
    ]


def length_thirds(lengths: np.ndarray, among: np.ndarray | None = None) -> list[Group]:
    """Thirds of the rows (of those `among` marks) by a length in characters; none where they are few or hardly differ."""
    among = np.ones(len(lengths), dtype=bool) if among is None else among
    if among.sum() < 3 * LEAST_ROWS:
        return []
    first, second = (int(edge) for edge in np.quantile(lengths[among], [1 / 3, 2 / 3]))
    parts = [
        (Text(f"up to {first} characters", f"不超过 {first} 字"), among & (lengths <= first)),
        (
            Text(f"{first + 1} to {second} characters", f"{first + 1}–{second} 字"),
            among & (lengths > first) & (lengths <= second),
        ),
        (Text(f"over {second} characters", f"超过 {second} 字"), among & (lengths > second)),
    ]
    return parts if all(rows.sum() >= LEAST_ROWS for _, rows in parts) else []


def script_groups(test: Sequence[Example]) -> list[Group]:
    """Rows by writing system, where at least two have enough rows."""
    scripts = np.array([script_of(joined_text(example)) for example in test])
    groups = [(NAMES[name], scripts == name) for name in NAMES if (scripts == name).sum() >= LEAST_ROWS]
    return groups if len(groups) > 1 else []


def leakage_groups(seen: np.ndarray) -> list[Group]:
    if min(seen.sum(), (~seen).sum()) < LEAST_ROWS:
        return []
    return [
        (Text("text also in training", "训练集中已有的文本"), seen),
        (Text("text not in training", "训练集中没有的文本"), ~seen),
    ]


def slice_scores(
    kind: str,
    groups: Sequence[Group],
    statistics: Statistics,
    metrics_from: MetricsFrom,
    metric: str,
    samples: int,
    confidence: float,
    seed: int,
) -> list[dict[str, Any]]:
    """One entry a group: kind, name, n, and the metric with its interval."""
    entries = []
    for name, rows in groups:
        if not rows.any():
            continue
        part = bootstrap(statistics[rows], metrics_from, samples, confidence, seed)[metric]
        entries.append(
            {
                "kind": kind,
                "name": name.to_dict(),
                "n": int(rows.sum()),
                "value": part.value,
                "low": part.low,
                "high": part.high,
            }
        )
    return entries
