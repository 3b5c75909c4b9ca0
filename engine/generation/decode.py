"""From generated texts to answers: what every generative task has in common.

Knows the shape of an answer; travels with an exported model as it is. Does not know models, tokens or what a text is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.generation.generation_spec import GenerationSpec
from engine.schema import Encoded


def outputs_from(values: dict[str, Any]) -> GenerationSpec:
    """The inverse of `GenerationSpec.to_dict`."""
    return GenerationSpec.from_dict(values)


def answers(texts: Sequence[str], encoded: Encoded, role: str) -> list[dict[str, Any]]:
    """The generated text under the name of its `role`, in how many `parts` its source was read, and whether that was `cut`."""
    parts = (
        np.bincount([feature.example for feature in encoded.features], minlength=len(texts))
        if encoded.features
        else [1] * len(texts)
    )
    return [
        {role: text, "parts": int(count), "cut": index in encoded.shortened}
        for index, (text, count) in enumerate(zip(texts, parts, strict=True))
    ]
