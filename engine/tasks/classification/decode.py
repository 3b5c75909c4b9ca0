"""From texts to token sequences of a classifier, and from its logits to answers.

Knows windows, probabilities and the shape of an answer; imports only numpy and plain data, because it travels with an exported
model as it is. Does not know training, metrics or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.schema import Encoded, Example, Feature

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

THRESHOLD = 0.5  # probability from which on a label is given, where a text may have several


@dataclass(frozen=True, slots=True)
class Classes:
    """The labels in a fixed order, and whether a text may have several of them."""

    labels: list[str]
    multi_label: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"labels": self.labels, "multi_label": self.multi_label}


def outputs_from(values: dict[str, Any]) -> Classes:
    """The inverse of `Classes.to_dict`."""
    return Classes(**values)


def encode(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_length: int | None, windows: bool
) -> Encoded:
    """Token sequences of {"text", perhaps "text_pair"}; `max_length` None cuts nothing.

    A longer text is cut; with `windows` it becomes several overlapping sequences (stride a quarter of the length) whose
    probabilities are averaged, so that all of it is read.
    """
    texts = [example.inputs["text"] for example in examples]
    pairs = [example.inputs.get("text_pair") for example in examples]
    paired = any(pair is not None for pair in pairs)
    whole = tokenizer(texts, [pair or "" for pair in pairs] if paired else None, verbose=False)
    types = whole.get("token_type_ids")
    features: list[Feature] = []
    too_long: list[int] = []
    for index, ids in enumerate(whole["input_ids"]):
        if max_length is not None and len(ids) > max_length:
            too_long.append(index)
        else:
            features.append(Feature(index, ids, types[index] if types and paired else None))
    for index in too_long:
        assert max_length is not None  # a text is too long only for a limit
        cut = tokenizer(
            texts[index],
            (pairs[index] or "") if paired else None,
            truncation=True,
            max_length=max_length,
            stride=max_length // 4 if windows else 0,
            return_overflowing_tokens=windows,
        )
        sequences = cut["input_ids"] if windows else [cut["input_ids"]]
        for number, ids in enumerate(sequences):
            cut_types = cut.get("token_type_ids") if paired else None
            features.append(Feature(index, ids, (cut_types[number] if windows else cut_types) if cut_types else None))
    features.sort(key=lambda feature: feature.example)
    return Encoded(features, truncated=len(too_long), longest=max(map(len, whole["input_ids"]), default=0))


def predict(logits: Sequence[np.ndarray], encoded: Encoded, count: int, classes: Classes) -> np.ndarray:
    """Logits [classes] of each feature to probabilities [count, classes]; the windows of one text are averaged."""
    stacked = np.stack(logits)
    if classes.multi_label:
        probabilities = 1.0 / (1.0 + np.exp(-stacked.astype(np.float64)))
    else:
        exponents = np.exp(stacked - stacked.max(axis=1, keepdims=True), dtype=np.float64)
        probabilities = exponents / exponents.sum(axis=1, keepdims=True)
    owners = np.array([feature.example for feature in encoded.features], dtype=np.int64)
    total = np.zeros((count, probabilities.shape[1]))
    np.add.at(total, owners, probabilities)
    return total / np.bincount(owners, minlength=count)[:, None]


def answers(
    examples: Sequence[Example], probabilities: np.ndarray, encoded: Encoded, classes: Classes
) -> list[dict[str, Any]]:
    """`label` (and `labels`), `confidence`, `probabilities` by label, highest first, and `windows` for each row."""
    windows = np.bincount([feature.example for feature in encoded.features], minlength=len(probabilities))
    rows = []
    for row, count in zip(probabilities, windows, strict=True):
        order = np.argsort(-row, kind="stable")
        answer: dict[str, Any] = {
            "label": classes.labels[order[0]],
            "confidence": float(row[order[0]]),
            "probabilities": {classes.labels[i]: float(row[i]) for i in order},
            "windows": int(count),
        }
        if classes.multi_label:
            answer["labels"] = [classes.labels[i] for i in order if row[i] >= THRESHOLD]
        rows.append(answer)
    return rows
