"""Default hyperparameters of the tasks: learning rates, epochs, batch sizes and frozen layers.

Fitted to measurements (benchmarks/README.md). Knows neither PyTorch nor models, so that a task can be described without them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

FEW_TEXTS = 1000
MANY_CLASSES = 25
# Learning rate of a new head relative to the encoder's: over few texts, a randomly initialised head would otherwise predict nothing
# useful for the first half of training.
HEAD_RATIO = 100.0


def lr_scale_for_encoders(method: str, width: int, layers: int) -> float:
    """Smaller encoders than BERT-base take larger steps, up to six times, and larger ones need smaller steps."""
    return min(6.0, (768 / width) * (12 / layers) ** 1.5)


@dataclass(frozen=True, slots=True)
class TaskHyperparameters:
    """`learning_rates` holds the peak learning rate of each method for an encoder of BERT-base's size (12 layers of 768) at a batch
    of 32; LoRA's is that of its A matrices, with B and the head `lora_plus_ratio` times faster. `epochs` takes (rows, labels, method).
    """

    learning_rates: dict[str, float]
    epochs: Callable[[int, int, str], float]
    # Tokens of a training window, where a task reads long texts in windows and shorter ones are learned better.
    window_tokens: int | None = None
    # Factor on the learning rate; takes (method, width, layers).
    lr_scale_by_model_size: Callable[[str, int, int], float] = lr_scale_for_encoders
    # Factor on the learning rate by the number of labels; not applied when the head alone is trained.
    lr_scale_by_labels: Callable[[int], float] = lambda labels: 1.0
    # Learning rate of the head relative to the encoder's in full fine-tuning; takes (rows, labels).
    head_ratio: Callable[[int, int], float] = lambda rows, labels: 1.0
    # Share of the layers, the lowest, that full fine-tuning freezes; takes labels.
    frozen_share: Callable[[int], float] = lambda labels: 0.0
    min_batch: int = 8  # rows of an update where there are few
    # Factors on epochs and batch size when the head alone is trained: the encoder's outputs are computed once, so that both are cheap.
    head_only_epochs_factor: int = 1
    head_only_batch_factor: int = 1


def epochs_for_classes(rows: int, classes: int, method: str) -> float:
    """Two to eight epochs, so that a model sees examples of every class some 400 times in all.

    Thousands of rows of two classes take two epochs; a hundred rows of each of 77 classes take four. With the larger head ratio of full
    fine-tuning on few rows of many classes, half as many are enough.
    """
    if method == "full" and head_ratio_for_classes(rows, classes) > 1:
        return _epochs_with_head_ratio(rows)
    return float(min(8, max(2, math.ceil(400 * classes / rows))))


def lr_scale_for_classes(classes: int) -> float:
    """Two classes take some 28 % of the learning rate, 25 and more all of it: separating a few classes is close to what the encoder
    knows already, and large steps only damage that.
    """
    return min(1.0, math.sqrt(classes / MANY_CLASSES))


def frozen_share_for_classes(classes: int) -> float:
    """Many classes mostly differ by topic, which the lower layers of an encoder represent well enough as they are: frozen, they forget
    nothing and cost little. Sentiment, like entities and answers, needs all layers.
    """
    return 1 / 3 if classes >= MANY_CLASSES else 0.0


def head_ratio_for_classes(rows: int, classes: int) -> float:
    """The head takes larger steps on a few hundred rows with fewer than 66 a class. With more of each class the encoder's learning
    rate suits it as well.
    """
    return HEAD_RATIO if rows < FEW_TEXTS and 400 * classes / rows > 6 else 1.0


def epochs_for_entities(rows: int, types: int, method: str) -> float:
    """Four to eight epochs, so that a model sees some 8,000 texts in all: every word of them is an example. With the larger head ratio
    of full fine-tuning on few texts, 1,200 are enough.
    """
    if method == "full" and rows < FEW_TEXTS:
        return _epochs_with_head_ratio(rows)
    return float(min(8, max(4, math.ceil(8000 / rows))))


def head_ratio_for_entities(rows: int, types: int) -> float:
    """The head takes larger steps on a few hundred texts. On thousands that changes nothing."""
    return HEAD_RATIO if rows < FEW_TEXTS else 1.0


def _epochs_with_head_ratio(rows: int) -> float:
    return float(min(8, max(4, math.ceil(1200 / rows))))


def epochs_for_questions(rows: int, labels: int, method: str) -> float:
    """Two to eight epochs: three from a few hundred questions on, two for thousands."""
    return float(2 if rows >= 3000 else min(8, max(3, math.ceil(1200 / rows))))


def epochs_for_generation(rows: int, labels: int, method: str) -> float:
    """Two epochs, three for fewer than 30 rows: a pretrained generator adopts a style quickly, and then memorises targets. One epoch
    less for LoRA, whose learning rate is larger: that measured better than twice as many steps of less than half the size.
    """
    epochs = 2.0 if rows >= 30 else 3.0
    return epochs - 1 if method == "lora" else epochs


def lr_scale_for_generators(method: str, width: int, layers: int) -> float:
    """LoRA's learning rate falls with the width from SmolLM2's on, for which it was measured, by the exponent that was measured for Llamas (Schulman
    and Thinking Machines Lab 2025, "LoRA Without Regret").
    """
    return min(1.0, (576 / width) ** 0.781) if method == "lora" else 1.0
