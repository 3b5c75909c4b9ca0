"""A Trainer that can be interrupted anywhere and resumes with exactly the updates that an uninterrupted one would have made.

A checkpoint holds everything that decides the next update: trainable weights, optimizer, scheduler, scaler, random states, progress. The
position in the epoch follows from the step, because batches depend on seed and epoch only; transformers skips the batches before it. Its
pickles are replaced by safetensors and JSON. Knows states; does not know losses or data, nor how files are written (checkpoint_files.py).
"""

from __future__ import annotations

import random
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler
from transformers import Trainer
from transformers.trainer import TRAINER_STATE_NAME

from engine.models.adapters import restore_trainable, trainable_state
from engine.training.checkpoint_files import Checkpoint, Checkpoints
from engine.training.progress import Progress


class ResumableTrainer(Trainer):
    """Saves and restores the training state. A subclass adds its own by `counters` and `restore_counters`."""

    progress: Progress
    checkpoints: Checkpoints
    best_file: str = ""  # name of the file with the best weights so far
    _resumed_from: Checkpoint | None = None

    def counters(self) -> dict[str, Any]:
        """The subclass's own state, as JSON."""
        return {}

    def restore_counters(self, values: dict[str, Any]) -> None:
        """The inverse of `counters`."""

    def train_from(self, checkpoint: Checkpoint | None) -> None:
        """Train to the end, from `checkpoint` if there is one."""
        self._resumed_from = checkpoint
        self.train(resume_from_checkpoint=str(checkpoint.directory) if checkpoint else None)

    def _created(self) -> tuple[torch.optim.Optimizer, LRScheduler]:
        """The optimizer and the schedule, which Trainer creates when training begins."""
        assert self.optimizer is not None and self.lr_scheduler is not None
        return self.optimizer, self.lr_scheduler

    # What Trainer calls when a checkpoint is due -----------------------------------------------------------------------------

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        # Trainer looks at this flag again at the end of the epoch.
        self.control.should_save = False
        if not self.is_world_process_zero():
            return
        optimizer, scheduler = self._created()
        tensors, groups = _flat(optimizer.state_dict())
        state = {
            "micro_batch_size": self.args.per_device_train_batch_size,
            "optimizer_groups": groups,
            "scheduler": scheduler.state_dict(),
            "scaler": self.accelerator.scaler.state_dict() if self.accelerator.scaler is not None else None,
            "random": _random_states(),
            "progress": {f.name: getattr(self.progress, f.name) for f in fields(Progress) if f.name != "best_state"},
            "best_file": self.best_file,
            "counters": self.counters(),
        }
        self.checkpoints.save(
            self.state.global_step,
            trainable_state(self.accelerator.unwrap_model(self.model)),
            {**tensors, **_torch_generators()},
            state,
            self.best_file,
            lambda folder: self.state.save_to_json(str(folder / TRAINER_STATE_NAME)),
        )

    # What Trainer calls to resume, in this order -----------------------------------------------------------------------------

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        checkpoint = self._opened(resume_from_checkpoint)
        restore_trainable(self.accelerator.unwrap_model(self.model), checkpoint.weights())

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        opened = self._opened(checkpoint)
        state = opened.state()
        optimizer, scheduler = self._created()
        optimizer.load_state_dict(_unflat(opened.tensors(), state["optimizer_groups"]))
        scheduler.load_state_dict(state["scheduler"])
        self.progress = Progress(**state["progress"], best_state=opened.best())
        self.best_file = state["best_file"]
        self.restore_counters(state["counters"])

    def _load_scaler(self, checkpoint: str | None) -> None:
        if checkpoint is not None and self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(self._opened(checkpoint).state()["scaler"])

    def _load_rng_state(self, checkpoint: str | None) -> None:
        # Each process of a group has random states of its own; only those of the main one are saved.
        if checkpoint is None or not self.is_world_process_zero():
            return
        opened = self._opened(checkpoint)
        states = opened.state()["random"]
        version, numbers, gauss = states["python"]
        random.setstate((version, tuple(numbers), gauss))
        name, keys, position, has_gauss, cached = states["numpy"]
        np.random.set_state((name, np.array(keys, dtype=np.uint32), position, has_gauss, cached))
        tensors = opened.tensors()
        torch.set_rng_state(tensors["random.cpu"])
        if torch.cuda.is_available() and "random.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random.cuda"])

    def _opened(self, directory: str) -> Checkpoint:
        """The checkpoint given to `train_from`, of this run's own directory, with its hashes verified."""
        if self._resumed_from is None or self._resumed_from.directory != Path(directory):
            raise ValueError(f"{directory} is no checkpoint of this run")
        return self._resumed_from


def _flat(state: dict[str, Any]) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
    """An optimizer's tensors by "optimizer.<parameter>.<name>", and its groups without tensors."""
    tensors = {
        f"optimizer.{index}.{name}": value.detach().to("cpu", copy=True).contiguous()
        for index, values in state["state"].items()
        for name, value in values.items()
    }
    groups = [
        {name: float(value) if isinstance(value, torch.Tensor) else value for name, value in group.items()}
        for group in state["param_groups"]
    ]
    return tensors, groups


def _unflat(tensors: dict[str, torch.Tensor], groups: list[dict[str, Any]]) -> dict[str, Any]:
    """The inverse of `_flat`: an optimizer's state dictionary."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        kind, _, rest = key.partition(".")
        if kind == "optimizer":
            index, _, name = rest.partition(".")
            state.setdefault(int(index), {})[name] = value
    groups = [{name: tuple(v) if name == "betas" else v for name, v in group.items()} for group in groups]
    return {"state": state, "param_groups": groups}


def _random_states() -> dict[str, Any]:
    version, numbers, gauss = random.getstate()
    numpy_state: dict[str, Any] = np.random.get_state(legacy=False)
    generator = numpy_state["state"]
    return {
        "python": [version, list(numbers), gauss],
        "numpy": [
            numpy_state["bit_generator"],
            generator["key"].tolist(),
            int(generator["pos"]),
            int(numpy_state["has_gauss"]),
            float(numpy_state["gauss"]),
        ],
    }


def _torch_generators() -> dict[str, torch.Tensor]:
    states = {"random.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["random.cuda"] = torch.cuda.get_rng_state()
    return states
