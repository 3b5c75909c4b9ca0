"""What a report is made from: the rows, the predictions, and the facts of the run.

Knows what training hands over to evaluation. Does not know how any of it was made, nor what is concluded from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.schema import Example
from engine.tasks.model import EvaluationSettings


@dataclass
class Evidence:
    """Everything a report may use. The test rows were never used to choose anything.

    `probabilities` [test rows, labels] are the fine-tuned model's, `pretrained_probabilities` those of the pretrained model before
    any training (frozen features, nearest class centroid), `validation_probabilities` [validation rows, labels] the fine-tuned model's.

    `facts` is JSON-able, and kept whole. Every key may be missing. Read for the report's insights:
      "truncated_share" of the training rows between 0 and 1, "max_length" in tokens, "train_metrics" {metric: value} on
      training rows, "best_epoch", "history" [{"step", "epoch", "train_loss", "validation": {"loss", metric: value, ...}}].
    Shown as what was run: "model", "method", "device", "device_reason" {en, zh}, "dtype", "seconds" {phase: seconds},
      "peak_memory_mb", "versions" {package: version}, "data_sha256", "seed", "rows" {split: count}, "best_step",
      "parameters", "trainable_parameters", "epochs", "batch_size", "learning_rate", "columns" {role: column},
      "sources" {split: {"name", "sha256", "rows"}}, "notices" [{"severity", "message": {en, zh}}].
    """

    task: str
    labels: list[str]
    multi_label: bool
    train: list[Example]
    validation: list[Example]
    test: list[Example]
    probabilities: np.ndarray
    pretrained_probabilities: np.ndarray | None
    validation_probabilities: np.ndarray | None
    settings: EvaluationSettings
    facts: dict[str, Any] = field(default_factory=dict)
