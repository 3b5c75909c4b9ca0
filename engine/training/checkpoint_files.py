"""Checkpoints of a run: written whole or not at all, checked before they are believed, the last two kept.

    checkpoints/best-00000120.safetensors    the trainable weights at the best evaluation
                step-00000150/               everything that training needs to go on from there:
                    weights.safetensors      trainable weights
                    tensors.safetensors      the optimizer's averages, the states of torch's random generators
                    state.json               the rest: scheduler, other random states, progress, counters
                    trainer_state.json       transformers' own counters
                    complete.json            written last: the SHA-256 of each file, and of the best weights that belong to it

No file is a pickle: nothing here can run code when it is read. Knows files; does not know what the tensors mean.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

Tensors = dict[str, torch.Tensor]
KEPT = 2
# A checkpoint may take a twenty-fifth of the time at most: 4 % in the worst case, next to nothing for small models.
COST_FACTOR = 25
FORMAT = 1
_STEP = re.compile(r"step-(\d{8,})")
_TEMPORARY = ".new-"

log = logging.getLogger("tunebench.checkpoint")


@dataclass(frozen=True)
class Checkpoint:
    """A complete one, its files checked."""

    directory: Path
    best_file: Path | None

    @property
    def step(self) -> int:
        return int(_STEP.fullmatch(self.directory.name)[1])  # type: ignore[index]

    def weights(self) -> Tensors:
        return load_file(self.directory / "weights.safetensors")

    def tensors(self) -> Tensors:
        return load_file(self.directory / "tensors.safetensors")

    def state(self) -> dict[str, Any]:
        return json.loads((self.directory / "state.json").read_text(encoding="utf-8"))

    def best(self) -> Tensors:
        """The best weights until then; empty before the first evaluation."""
        return load_file(self.best_file) if self.best_file else {}


@dataclass
class Checkpoints:
    """The checkpoints of one run in `directory`, at most one every `seconds`."""

    directory: Path
    seconds: float
    clock: Callable[[], float] = time.monotonic
    _last: float = field(init=False)
    _cost: float = 0.0

    def __post_init__(self) -> None:
        self._last = self.clock()

    def due(self) -> bool:
        return self.clock() - self._last >= max(self.seconds, COST_FACTOR * self._cost)

    def save(
        self,
        step: int,
        weights: Tensors,
        tensors: Tensors,
        state: dict[str, Any],
        best: str,
        also: Callable[[Path], None],
    ) -> Path:
        """Write a checkpoint and forget those before the last two. `best` names a file of `save_best`, or is empty;
        `also` writes what others want to keep into the folder. OSError or SafetensorError when the disk is full: what was there
        before is untouched.
        """
        started = self.clock()
        self.directory.mkdir(parents=True, exist_ok=True)
        self._sweep()
        target = self.directory / f"step-{step:08d}"
        temporary = self.directory / f"{_TEMPORARY}{target.name}"
        try:
            temporary.mkdir()
            save_file(weights, temporary / "weights.safetensors")
            save_file(tensors, temporary / "tensors.safetensors")
            (temporary / "state.json").write_text(json.dumps(state), encoding="utf-8")
            also(temporary)
            names = sorted(path.name for path in temporary.iterdir())
            files = {name: _hash_and_sync(temporary / name) for name in names}
            complete = {"format": FORMAT, "step": step, "files": files}
            if best:
                complete["best"] = {"name": best, "sha256": _hash_and_sync(self.directory / best)}
            (temporary / "complete.json").write_text(json.dumps(complete), encoding="utf-8")
            _sync(temporary / "complete.json")
            if target.exists():
                # The same step again, after a resumption from before it: the same bytes, or better ones.
                shutil.rmtree(target)
            temporary.rename(target)
            _sync(self.directory)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        self._forget(best)
        self._last = self.clock()
        self._cost = self._last - started
        return target

    def save_best(self, step: int, weights: Tensors) -> str:
        """The best weights on disk, under a name of their own: those that a checkpoint refers to stay. Returns the name."""
        self.directory.mkdir(parents=True, exist_ok=True)
        name = f"best-{step:08d}.safetensors"
        temporary = self.directory / f"{_TEMPORARY}{name}"
        try:
            save_file(weights, temporary)
            _sync(temporary)
            temporary.replace(self.directory / name)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        self._forget(name)
        return name

    def newest(self) -> tuple[Checkpoint | None, list[Path]]:
        """The newest checkpoint whose files are all as they were written, and newer ones that are not."""
        broken: list[Path] = []
        for directory in self._folders():
            try:
                return self._checked(directory), broken
            except (OSError, ValueError, KeyError, TypeError) as error:
                log.warning("%s cannot be used: %r", directory.name, error)
                broken.append(directory)
        return None, broken

    def clear(self) -> None:
        """Remove everything: the run has ended well, or begins anew."""
        if self.directory.is_dir():
            shutil.rmtree(self.directory)

    def _folders(self) -> list[Path]:
        """Newest first."""
        if not self.directory.is_dir():
            return []
        folders = (path for path in self.directory.iterdir() if _STEP.fullmatch(path.name) and path.is_dir())
        return sorted(folders, key=lambda path: path.name, reverse=True)

    def _checked(self, directory: Path) -> Checkpoint:
        """ValueError (or OSError, KeyError) for a folder that is not as it was written."""
        complete = _complete(directory)
        if complete["format"] != FORMAT:
            raise ValueError(f"format {complete['format']!r}")
        for name, expected in complete["files"].items():
            if _hash(directory / Path(name).name) != expected:
                raise ValueError(f"{name} has changed since it was written")
        best = complete.get("best")
        if best is None:
            return Checkpoint(directory, None)
        file = self.directory / Path(best["name"]).name
        if _hash(file) != best["sha256"]:
            raise ValueError(f"{best['name']} has changed since it was written")
        return Checkpoint(directory, file)

    def _forget(self, best: str) -> None:
        """Remove checkpoints before the last two, and best weights that neither they nor `best` refer to."""
        needed = {best}
        for position, directory in enumerate(self._folders()):
            if position >= KEPT:
                shutil.rmtree(directory)
                continue
            try:
                needed.add(_complete(directory)["best"]["name"])
            except (OSError, ValueError, KeyError, TypeError):
                continue  # before the first evaluation, or broken: it refers to none
        for file in self.directory.glob("best-*.safetensors"):
            if file.name not in needed:
                file.unlink()

    def _sweep(self) -> None:
        """What a killed worker left half written."""
        for path in self.directory.glob(f"{_TEMPORARY}*"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _complete(directory: Path) -> dict[str, Any]:
    return json.loads((directory / "complete.json").read_text(encoding="utf-8"))


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash_and_sync(path: Path) -> str:
    """SHA-256 of a file that is surely on the disk afterwards."""
    _sync(path)
    return _hash(path)


def _sync(path: Path) -> None:
    """Wait until a file, or a folder's list of files, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
