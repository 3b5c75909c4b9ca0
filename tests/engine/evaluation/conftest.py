"""Evidence made by hand: as many rows, classes and mistakes as a test asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.schema import Example
from engine.tasks.classification.evidence import Evidence
from engine.tasks.model import EvaluationSettings
from tests.engine.evaluation.answers import probabilities_for

Make = Callable[..., Evidence]


@pytest.fixture
def make() -> Make:
    """`make(test=200, right=0.9, ...)`: the text of each row holds its label's keyword with probability `keyword`."""

    def build(
        classes: int = 3,
        train: int = 240,
        test: int = 200,
        right: float = 0.9,
        keyword: float = 0.5,
        sure: float = 0.9,
        seed: int = 0,
        **changes: Any,
    ) -> Evidence:
        random = np.random.default_rng(seed)
        labels = [f"label {index:02d}" for index in range(classes)]

        def examples(count: int) -> list[Example]:
            made = []
            for row in range(count):
                target = row % classes
                word = target if random.random() < keyword else int(random.integers(classes))
                filler = " ".join(f"w{n}" for n in random.integers(0, 500, size=random.integers(3, 30)))
                made.append(Example(row + 1, {"text": f"key{word} {filler}"}, labels[target]))
            return made

        tested = examples(test)
        targets = np.arange(test) % classes
        wrong = np.zeros(test, dtype=bool)
        wrong[random.permutation(test)[: round(test * (1 - right))]] = True
        answers = np.where(wrong, (targets + 1) % classes, targets)
        evidence = Evidence(
            task="classification",
            labels=labels,
            multi_label=False,
            train=examples(train),
            validation=[],
            test=tested,
            probabilities=probabilities_for(answers, classes, sure),
            pretrained_probabilities=None,
            validation_probabilities=None,
            settings=EvaluationSettings(bootstrap_samples=300),
            facts={"model": "minilm"},
        )
        return replace(evidence, **changes)

    return build
