"""How fast a task is learned where nobody says otherwise: its learning rates and its passes over the rows.

Fitted to measurements (benchmarks/README.md). Knows neither PyTorch nor models, so that a task can be described without them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

FEW_TEXTS = 1000
MANY_CLASSES = 25
QUICK_HEAD = 100.0  # times the other steps: over few texts, half of the passes would go by until a head that begins at random says anything


def share_for_encoders(method: str, width: int, layers: int) -> float:
    """Smaller encoders than BERT-base bear larger steps, up to six times, and larger ones need smaller steps."""
    return min(6.0, (768 / width) * (12 / layers) ** 1.5)


@dataclass(frozen=True, slots=True)
class TaskHyperparameters:
    """`rate` holds the peak learning rate of each method for an encoder of BERT-base's size (12 layers of 768) at a batch of 32;
    LoRA's is that of its A matrices, with B and the head `lora_plus_ratio` times faster. `epochs` takes (rows, labels, method).
    """

    rate: dict[str, float]
    epochs: Callable[[int, int, str], float]
    window_tokens: int | None = None  # tokens of a training window, where windows shorter than the model could read serve better
    lr_scale_by_model_size: Callable[[str, int, int], float] = (
        share_for_encoders  # of `rate`; takes (method, features, layers)
    )
    lr_scale_by_labels: Callable[[int], float] = lambda labels: (
        1.0
    )  # of `rate`, that is taken with so many labels; not of the head's alone
    # How many times larger the head's steps are in full fine-tuning; takes (rows, labels).
    head_ratio: Callable[[int, int], float] = lambda rows, labels: 1.0
    # Of the layers, the lowest, that full fine-tuning leaves alone; takes labels.
    frozen_share: Callable[[int], float] = lambda labels: 0.0
    least_batch: int = 8  # rows of an update where there are few
    # How many times as many passes the head alone takes, and how many times as many rows an update has: above an encoder that reads
    # every text once both cost next to nothing.
    head_passes: int = 1
    head_batch: int = 1


def epochs_for_classes(rows: int, classes: int, method: str) -> float:
    """Two to eight passes, so that a model sees examples of every class some 400 times in all.

    Thousands of rows of two classes are learned in two passes; a hundred rows of each of 77 classes take four. With the head's larger
    steps, which full fine-tuning takes over few rows of many classes, half as many are enough.
    """
    if method == "full" and head_ratio_for_classes(rows, classes) > 1:
        return _passes_with_quick_head(rows)
    return float(min(8, max(2, math.ceil(400 * classes / rows))))


def share_for_classes(classes: int) -> float:
    """Two classes take some 28 % of the rate, 25 and more all of it: telling a few classes apart is close to what the encoder knows
    already, and large steps only unlearn.
    """
    return min(1.0, math.sqrt(classes / MANY_CLASSES))


def frozen_share_for_classes(classes: int) -> float:
    """Many classes mostly differ in what they are about, which the lower layers of an encoder tell apart well enough as they are: left
    alone they forget less and cost nothing. Sentiment, like entities and answers, needs all layers.
    """
    return 1 / 3 if classes >= MANY_CLASSES else 0.0


def head_ratio_for_classes(rows: int, classes: int) -> float:
    """The head takes larger steps over a few hundred rows that are fewer than 66 a class. With more of each class the others' rate
    serves it as well.
    """
    return QUICK_HEAD if rows < FEW_TEXTS and 400 * classes / rows > 6 else 1.0


def passes_for_entities(rows: int, types: int, method: str) -> float:
    """Four to eight passes, so that a model sees some 8,000 texts in all: every word of them is an example. With the head's larger
    steps, which full fine-tuning takes over few texts, 1,200 are enough.
    """
    if method == "full" and rows < FEW_TEXTS:
        return _passes_with_quick_head(rows)
    return float(min(8, max(4, math.ceil(8000 / rows))))


def head_ratio_for_entities(rows: int, types: int) -> float:
    """The head takes larger steps over a few hundred texts. Over thousands that changes nothing."""
    return QUICK_HEAD if rows < FEW_TEXTS else 1.0


def _passes_with_quick_head(rows: int) -> float:
    return float(min(8, max(4, math.ceil(1200 / rows))))


def epochs_for_questions(rows: int, labels: int, method: str) -> float:
    """Two to eight passes: three from a few hundred questions on, two over thousands."""
    return float(2 if rows >= 3000 else min(8, max(3, math.ceil(1200 / rows))))


def epochs_for_generation(rows: int, labels: int, method: str) -> float:
    """Two passes, three for fewer than 30 rows: a pretrained writer takes on a manner quickly, and then learns targets by heart. One pass
    less for LoRA, whose steps are larger: it learned more from them than from twice as many of less than half the size.
    """
    passes = 2.0 if rows >= 30 else 3.0
    return passes - 1 if method == "lora" else passes


def lr_scale_for_generators(method: str, width: int, layers: int) -> float:
    """LoRA's rate falls with the width from SmolLM2's on, for which it was measured, by the power that was found for Llamas (Schulman
    and Thinking Machines Lab 2025, "LoRA Without Regret").
    """
    return min(1.0, (576 / width) ** 0.781) if method == "lora" else 1.0
