"""The label of a text in capitals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.schema import Encoded, Example
from engine.tasks.classification import decode as classification
from engine.tasks.classification.decode import Classes, encode, outputs_from, predict

__all__ = ["answers", "encode", "outputs_from", "predict"]


def answers(
    examples: Sequence[Example], probabilities: np.ndarray, encoded: Encoded, classes: Classes
) -> list[dict[str, Any]]:
    return [
        {"shout": f"{answer['label'].upper()}!", "of": example.inputs["text"]}
        for example, answer in zip(
            examples, classification.answers(examples, probabilities, encoded, classes), strict=True
        )
    ]
