"""What a setting left empty means, decided from the model and the data.

The rules were fitted to measurements (benchmarks/README.md); whoever knows better sets the field. Does not know how
anything is trained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from transformers import PretrainedConfig

from engine.assets.catalogue import EXAMPLES
from engine.config import MethodConfig, RunConfig
from engine.core.errors import ConfigProblem
from engine.core.text import Text
from engine.tasks.task_defaults import TaskHyperparameters

TOKENS_PER_UPDATE = 16_384


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings a run really uses."""

    batch_size: int
    learning_rate: float
    max_length: int
    dropout: float
    freeze_embeddings: bool
    frozen_layers: int  # from the word embeddings up, that stay as they are in full fine-tuning
    epochs: float
    fast_ratio: float  # of the rate of what `adapters.fast_parameters` names to the others'
    minutes: float | None  # that the run may take at most; None without a limit


def batch_size_for(rows: int, classes: int, least: int = 8) -> int:
    """A power of two from `least` to 32 that leaves at least 40 updates an epoch where the rows allow it.

    With a thousand rows of every class 64: fewer, larger updates then learn as much in less time.
    """
    most = 6 if rows >= 1000 * classes else 5
    return max(least, 2 ** min(most, int(math.log2(max(least, rows / 40)))))


def learning_rate_for(
    hyperparameters: TaskHyperparameters, method: str, config: PretrainedConfig, batch_size: int, labels: int
) -> float:
    """The peak rate: smaller for wider and deeper models and for few labels, growing with the square root of the batch.

    Full fine-tuning of small encoders bears, and needs, larger steps than BERT-base; the head alone depends neither on depth nor on
    how many labels there are.
    """
    batch = math.sqrt(batch_size / 32)
    if method == "head":
        return hyperparameters.learning_rates["head"] * batch
    size = hyperparameters.lr_scale_by_model_size(method, config.hidden_size, config.num_hidden_layers)
    return float(
        f"{hyperparameters.learning_rates[method] * hyperparameters.lr_scale_by_labels(labels) * batch * size:.1e}"
    )


def fast_ratio_for(hyperparameters: TaskHyperparameters, method: MethodConfig, rows: int, labels: int) -> float:
    """How many times larger the steps of what starts at zero, or at random, are than those of what is pretrained."""
    if method.name == "lora":
        return method.lora_plus_ratio
    return (method.head_ratio or hyperparameters.head_ratio(rows, labels)) if method.name == "full" else 1.0


def frozen_layers_for(hyperparameters: TaskHyperparameters, method: MethodConfig, there: int, labels: int) -> int:
    """How many of the layers full fine-tuning leaves as they are: none where word embeddings learn, which lie below all layers.

    ConfigProblem where there are fewer than the configuration names.
    """
    if method.name != "full":
        return 0
    if method.frozen_layers is None:
        return round(hyperparameters.frozen_share(labels) * there) if method.freeze_embeddings is not False else 0
    if method.frozen_layers > there:
        raise ConfigProblem(
            "too_many_frozen",
            Text(
                f"method.frozen_layers is {method.frozen_layers}, but the model has {there} layers of their own weights.",
                f"method.frozen_layers 为 {method.frozen_layers}，但模型只有 {there} 层有各自的权重。",
            ),
            Text(f"Set it to {there} or less, or leave it empty.", f"请设为不超过 {there}，或留空。"),
            field="method.frozen_layers",
        )
    return method.frozen_layers


def common_length(lengths: Sequence[int]) -> int:
    """The length, in tokens, that 99 of 100 texts do not exceed; the longest one's where all are short.

    One text of thousands would otherwise make every batch it is near many times as dear. What is truncated is reported, and read in
    windows when the model is judged and used.
    """
    longest = max(lengths)
    return longest if longest <= 128 else max(128, sorted(lengths)[math.ceil(0.99 * len(lengths)) - 1])


def max_length_for(longest: int, limit: int, configured: int | None) -> int:
    """Room for the longest training text where the model reads that much; never more than configured."""
    if configured is not None:
        return min(configured, limit)
    return min(limit, max(16, -(-longest // 8) * 8))


def minutes_for(config: RunConfig) -> float | None:
    """An example is for trying, and ends soon on a slow machine too, unless the configuration sets how much it learns from."""
    minutes = config.training.minutes
    if minutes is None and config.data.max_train_rows is None and config.training.epochs is None:
        example = EXAMPLES.get(config.data.example)
        minutes = example.minutes if example else None
    return minutes or None


def resolve(
    config: RunConfig,
    model_config: PretrainedConfig,
    hyperparameters: TaskHyperparameters,
    *,
    layers: int,
    rows: int,
    classes: int,
    longest: int,
    limit: int,
) -> Resolved:
    """Fill the empty settings. `layers` have weights of their own, `rows` train, `longest` is the length that training texts have room for,
    `limit` what the model reads, in tokens.
    """
    room = (
        limit
        if config.model.max_length or hyperparameters.window_tokens is None
        else min(limit, hyperparameters.window_tokens)
    )
    max_length = max_length_for(longest, room, config.model.max_length)
    # Attention needs memory with the square of the length: long texts come in smaller batches.
    fitting = max(hyperparameters.min_batch, TOKENS_PER_UPDATE // max_length)
    # Dropout below the head would have every text read anew in every pass.
    once = config.method.name == "head" and not config.model.dropout
    chosen = min(fitting, batch_size_for(rows, classes, hyperparameters.min_batch))
    batch_size = config.training.batch_size or chosen * (hyperparameters.head_only_batch_factor if once else 1)
    batch_size = min(batch_size, max(1, rows))
    return Resolved(
        fast_ratio=fast_ratio_for(hyperparameters, config.method, rows, classes),
        batch_size=batch_size,
        learning_rate=config.training.learning_rate
        or learning_rate_for(hyperparameters, config.method.name, model_config, batch_size, classes),
        max_length=max_length,
        dropout=0.0 if config.model.dropout is None else config.model.dropout,
        freeze_embeddings=config.method.freeze_embeddings is not False,
        frozen_layers=frozen_layers_for(hyperparameters, config.method, layers, classes),
        minutes=minutes_for(config),
        epochs=config.training.epochs
        or hyperparameters.epochs(rows, classes, config.method.name)
        * (hyperparameters.head_only_epochs_factor if once else 1),
    )


def as_before(chosen: Resolved, facts: dict[str, Any]) -> Resolved:
    """The settings that an earlier attempt of the run had, from its `facts`, whatever would be chosen today: its checkpoint goes on
    with the same ones. Without an earlier attempt, those chosen.
    """
    if not facts:
        return chosen
    # A version that froze no layers did not speak of them.
    facts = {"frozen_layers": 0, **facts}
    return replace(chosen, **{field.name: facts[field.name] for field in fields(Resolved) if field.name in facts})
