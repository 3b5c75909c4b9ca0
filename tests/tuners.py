"""A trainer of any small model, for tests of an update or an evaluation: nothing stops it, and its time is not limited."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from engine.config import TrainingConfig
from engine.core.text import Text
from engine.models.device import Device
from engine.models.speed.fast_paths import ALL
from engine.schema import Feature
from engine.training.budget import Budget
from engine.training.checkpoint_files import Checkpoints
from engine.training.defaults import Resolved
from engine.training.events import EventLog
from engine.training.trainer import FineTuner, TrainerCallbacks, TrainingSetup


def tuner_of(
    model: nn.Module,
    features: list[Feature],
    folder: Path,
    *,
    config: TrainingConfig | None = None,
    batch_size: int = 4,
    learning_rate: float = 1e-2,
    loss: Callable[[nn.Module, dict[str, torch.Tensor]], torch.Tensor] = lambda model, batch: torch.zeros(()),
    evaluate: Callable[[], tuple[float, dict[str, float]]] = lambda: (1.0, {"f1": 0.5}),
    on_best: Callable[[], None] = lambda: None,
    fast_paths: frozenset[str] = ALL,
) -> FineTuner:
    resolved = Resolved(
        batch_size=batch_size,
        learning_rate=learning_rate,
        max_length=16,
        dropout=0.0,
        freeze_embeddings=False,
        frozen_layers=0,
        epochs=1.0,
        fast_ratio=1.0,
        minutes=None,
    )
    setup = TrainingSetup(
        resolved=resolved,
        config=config or TrainingConfig(),
        metric="f1",
        seed=0,
        device=Device("cpu", torch.float32, Text("", "")),
        pad_token_id=0,
        micro_batch_size=batch_size,
        fast_paths=fast_paths,
    )
    return FineTuner(
        model,
        features,
        setup,
        TrainerCallbacks(loss=loss, evaluate=evaluate, on_best=on_best),
        events=EventLog(folder / "events.jsonl"),
        checkpoints=Checkpoints(folder / "checkpoints", math.inf),
        budget=Budget(math.inf),
    )
