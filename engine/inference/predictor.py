"""Answering with a tuned model: one text or many, long or short, and what the untuned model would have said.

Knows how a run's model folder is turned into answers. Does not know pages or files of texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from engine.data.mask import mask_text
from engine.errors import ColumnProblem
from engine.inference.forward import mean_pooled, run
from engine.inference.saved import Description, load_base, load_tuned
from engine.inference.untuned import Centroids
from engine.models.device import Device, choose_device
from engine.models.load import LoadedModel
from engine.tasks import TASKS
from engine.tasks.base import Example
from engine.text import Text

Rows = Sequence[str | Mapping[str, str]]


class Predictor:
    """A loaded model that answers. Make it once and reuse it; it holds no state between calls."""

    def __init__(self, directory: Path, device: Device | None = None):
        self.directory = directory
        self.description = Description.load(directory)
        self.task = TASKS[self.description.task]
        self.classes = self.description.outputs
        self.device = device or choose_device()
        self.loaded = load_tuned(directory, self.description)
        self.loaded.model.to(self.device.name).eval()

    @cached_property
    def _base(self) -> tuple[LoadedModel, Centroids]:
        # Loaded on the first comparison only: most visits never ask for it.
        centroids = Centroids.load(self.directory / "untuned.safetensors")
        loaded = load_base(self.description)
        loaded.model.to(self.device.name).eval()
        return loaded, centroids

    def probabilities(
        self, rows: Rows, base: bool = False, progress: Callable[[int, int], None] | None = None
    ) -> np.ndarray:
        """[rows, classes]. A row is a text, or a mapping of role names to texts; long texts are read in windows."""
        return self._answer(self._examples(rows), base, progress)[0]

    def predict(
        self, rows: Rows, base: bool = False, progress: Callable[[int, int], None] | None = None
    ) -> list[dict[str, Any]]:
        """One answer a row: `label` (or `labels`), `confidence`, `probabilities` by label, highest first, and `windows`.

        With `base` the untuned model answers: its frozen features, with the nearest class centroid.
        """
        examples = self._examples(rows)
        if not examples:
            return []
        probabilities, windows = self._answer(examples, base, progress)
        return [self._in_words(row, int(count)) for row, count in zip(probabilities, windows, strict=True)]

    def _answer(
        self, examples: list[Example], base: bool, progress: Callable[[int, int], None] | None
    ) -> tuple[np.ndarray, np.ndarray]:
        loaded, centroids = self._base if base else (self.loaded, None)
        encoded = self.task.encode(examples, loaded.tokenizer, self.description.max_length, windows=True)
        windows = np.bincount([f.example for f in encoded.features], minlength=len(examples))
        pad = loaded.tokenizer.pad_token_id
        if centroids is None:
            logits = run(loaded.model, encoded.features, pad, self.device, progress=progress)
            return self.task.predict(logits, encoded, len(examples), self.classes), windows
        pooled = run(loaded.model, encoded.features, pad, self.device, read=mean_pooled, progress=progress)
        return centroids.probabilities(mean_over_windows(pooled, encoded.features, len(examples))), windows

    def _in_words(self, probabilities: np.ndarray, windows: int) -> dict[str, Any]:
        order = np.argsort(-probabilities, kind="stable")
        labels = self.classes.labels
        answer: dict[str, Any] = {
            "label": labels[order[0]],
            "confidence": float(probabilities[order[0]]),
            "probabilities": {labels[i]: float(probabilities[i]) for i in order},
            "windows": windows,
        }
        if self.classes.multi_label:
            answer["labels"] = [labels[i] for i in order if probabilities[i] >= 0.5]
        return answer

    def _examples(self, rows: Rows) -> list[Example]:
        required = [role.name for role in self.task.roles if role.required and role.name != "label"]
        examples = []
        for number, row in enumerate(rows, start=1):
            inputs = {"text": row} if isinstance(row, str) else dict(row)
            if self.description.masked:
                inputs = {name: mask_text(value) if isinstance(value, str) else value for name, value in inputs.items()}
            missing = [name for name in required if not isinstance(inputs.get(name), str)]
            if missing:
                raise ColumnProblem(
                    "missing_input",
                    Text(f"Row {number} has no {missing[0]}.", f"第 {number} 行缺少 {missing[0]}。"),
                    row=number,
                    column=missing[0],
                )
            examples.append(Example(number, inputs, None))
        return examples


def mean_over_windows(vectors: np.ndarray, features: Sequence[Any], count: int) -> np.ndarray:
    """Vectors [features, d] of windows to the mean [count, d] of each example."""
    owners = np.array([feature.example for feature in features], dtype=np.int64)
    total = np.zeros((count, vectors.shape[1]))
    np.add.at(total, owners, vectors)
    return total / np.bincount(owners, minlength=count)[:, None]


def load_predictor(run_directory: str | Path, device: Device | None = None) -> Predictor:
    """The predictor of a run directory (or of its model folder). RunProblem when it has no finished model."""
    directory = Path(run_directory)
    return Predictor(directory / "model" if (directory / "model").is_dir() else directory, device)
