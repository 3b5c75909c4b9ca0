"""What a report is made from: the rows, what the model said about them, and what is known of the run.

Knows what training hands over to evaluation. Does not know how any of it was made, nor what is concluded from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.config import RunConfig
from engine.tasks.base import Example


@dataclass
class Evidence:
    """Everything a report may use. The test rows were never used to choose anything.

    `probabilities` [test rows, labels] are the tuned model's, `untuned_probabilities` those of the pretrained model before
    any training (frozen features, nearest class centroid), `validation_probabilities` [validation rows, labels] the tuned model's.

    `facts` is JSON-able. Every key may be missing; what is there is shown, and these are also read:
      "model" id, "method", "device", "device_reason" {en, zh}, "dtype", "seconds" {phase: seconds}, "peak_memory_mb",
      "versions" {package: version}, "data_sha256" {split: digest}, "seed", "rows" {split: count},
      "truncated_share" of the test rows between 0 and 1, "max_length" in tokens, "notices" [{en, zh}],
      "best_epoch", "best_step", "history" [{"step", "epoch", "train_loss", "validation": {"loss", metric: value, ...}}].
    """

    task: str
    labels: list[str]
    multi_label: bool
    train: list[Example]
    validation: list[Example]
    test: list[Example]
    probabilities: np.ndarray
    untuned_probabilities: np.ndarray | None
    validation_probabilities: np.ndarray | None
    config: RunConfig
    facts: dict[str, Any] = field(default_factory=dict)
