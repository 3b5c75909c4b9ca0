"""From sentences to token sequences, and from logits to stars. Travels with an exported model as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.schema import Encoded, Example, Feature

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Scale:
    """The stars that a model can give. It has no labels: its one output is a number."""

    least: float = 1.0
    most: float = 5.0

    @property
    def labels(self) -> list[str]:
        return []

    def to_dict(self) -> dict[str, Any]:
        return {"least": self.least, "most": self.most}


def outputs_from(values: dict[str, Any]) -> Scale:
    return Scale(**values)


def encode(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_length: int | None, windows: bool
) -> Encoded:
    """A token sequence a sentence; a long one is cut."""
    ids = tokenizer([example.inputs["sentence"] for example in examples], verbose=False)["input_ids"]
    most = max_length or max(map(len, ids), default=0)
    features = [Feature(row, [*sequence[: most - 1], sequence[-1]]) for row, sequence in enumerate(ids)]
    return Encoded(features, sum(len(sequence) > most for sequence in ids), max(map(len, ids), default=0))


def predict(logits: Sequence[np.ndarray], encoded: Encoded, count: int, scale: Scale) -> np.ndarray:
    """Logits [1] of each sentence to stars [count], by a sigmoid over the scale."""
    values = np.array([float(logit[0]) for logit in logits])
    return scale.least + (scale.most - scale.least) / (1 + np.exp(-values))


def answers(examples: Sequence[Example], stars: np.ndarray, encoded: Encoded, scale: Scale) -> list[dict[str, Any]]:
    return [
        {"stars": round(float(number), 2), "shown": "★" * round(float(number)), "of": example.inputs["sentence"]}
        for example, number in zip(examples, stars, strict=True)
    ]
