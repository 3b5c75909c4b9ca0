"""The pretrained baseline of question answering: frozen features of the tokens at which answers begin and end.

A token begins an answer the better the nearer its features are to the mean of those that begin answers in training, and the
farther from the mean of all others (nearest class mean, Snell et al. 2017); the same for ends. No gradient step is taken. Knows
features and means; does not know where the model or the examples come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load_file, save_file

from engine.schema import IGNORED, Encoded, Example
from engine.tasks.pretrained_baseline import BASELINE_FILE, ModelReader, Progress, missing_baseline
from engine.tasks.qa.counts import threshold_scores
from engine.tasks.qa.decode import Answers
from engine.tasks.qa.spans import Prediction
from engine.tasks.qa.threshold import choose
from engine.tasks.qa.windows import END, START, token_targets

if TYPE_CHECKING:
    import torch
    from torch import nn

    from engine.models.unwrap import FamilyModule
    from engine.tasks.model import EncoderTask

ROWS = 100  # the means hardly move beyond that
AT_ONCE = 16  # their features are large: a vector for every token
# Cosines of one encoder's tokens lie close together; their differences become logits at this temperature.
TEMPERATURE = 0.05


class NearestEnds:
    """The pretrained baseline of a question answering run, kept beside its fine-tuned model. `directions` are [hidden, 2]."""

    def __init__(self, directions: np.ndarray, threshold: float):
        self._directions = directions
        self._threshold = threshold

    @classmethod
    def fit(
        cls,
        reader: ModelReader[EncoderTask[Answers, list[Prediction]], Answers],
        examples: Sequence[Example],
        seed: int,
    ) -> NearestEnds:
        """`reader` reads with the pretrained model; `examples` are the training rows."""
        order = np.random.default_rng(seed).permutation(len(examples))
        answered = [examples[index] for index in order if examples[index].target]
        unanswered = [examples[index] for index in order if not examples[index].target]
        sample = answered = answered[:ROWS]
        if reader.outputs.unanswerable:
            share = len(unanswered) / len(examples)
            sample = [*answered, *unanswered[: round(len(answered) * share / max(1e-9, 1 - share))]]
        # Read once: the means need the features of all, and the threshold what the means make of each.
        parts = [_Part.read(reader, sample[first : first + AT_ONCE]) for first in range(0, len(sample), AT_ONCE)]
        fitted = cls(_directions(parts), 0.0)
        if reader.outputs.unanswerable:
            predictions = [one for part in parts for one in fitted._predictions(reader, part)]
            fitted._threshold = choose(*threshold_scores(sample, predictions)).value
        return fitted

    def predict(
        self,
        reader: ModelReader[EncoderTask[Answers, list[Prediction]], Answers],
        examples: Sequence[Example],
        encoded: Encoded | None = None,
        progress: Progress | None = None,
    ) -> list[Prediction]:
        """Predictions as the task's own, so that the tuned model's threshold separates them as this model's own threshold would."""
        predictions = self._read(reader, examples, encoded, progress)
        for prediction in predictions:
            prediction.null = reader.outputs.threshold - self._threshold
        return predictions

    def _read(
        self,
        reader: ModelReader[EncoderTask[Answers, list[Prediction]], Answers],
        examples: Sequence[Example],
        encoded: Encoded | None = None,
        progress: Progress | None = None,
    ) -> list[Prediction]:
        """Predictions with a score of 0 for no answer."""
        import torch

        encoded = encoded or reader.encode(examples)
        directions = torch.from_numpy(self._directions / TEMPERATURE)

        def read(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            return _features(model, batch) @ directions.to(batch["input_ids"].device)

        logits = reader.run(encoded, read=read, progress=progress)
        return _without_null(reader.task.predict(logits, encoded, len(examples), reader.outputs))

    def _predictions(
        self, reader: ModelReader[EncoderTask[Answers, list[Prediction]], Answers], part: _Part
    ) -> list[Prediction]:
        """As `_read`, from features that were computed before."""
        logits = [vectors.astype(np.float32) @ (self._directions / TEMPERATURE) for vectors in part.vectors]
        return _without_null(reader.task.predict(logits, part.encoded, len(part.examples), reader.outputs))

    def save(self, directory: Path) -> None:
        tensors = {
            "directions": np.ascontiguousarray(self._directions, dtype=np.float32),
            "threshold": np.array([self._threshold], dtype=np.float32),
        }
        save_file(tensors, directory / BASELINE_FILE)

    @classmethod
    def is_in(cls, directory: Path) -> bool:
        return (directory / BASELINE_FILE).is_file()

    @classmethod
    def load(cls, directory: Path) -> NearestEnds:
        path = directory / BASELINE_FILE
        if not path.is_file():
            raise missing_baseline("no_untuned")
        tensors = load_file(path)
        return cls(tensors["directions"], float(tensors["threshold"][0]))


@dataclass(frozen=True, slots=True)
class _Part:
    """Some examples and the features of their tokens, [t, hidden] for each window, in half precision: there are many."""

    examples: Sequence[Example]
    encoded: Encoded
    vectors: list[np.ndarray]

    @classmethod
    def read(
        cls, reader: ModelReader[EncoderTask[Answers, list[Prediction]], Answers], examples: Sequence[Example]
    ) -> _Part:
        encoded = reader.encode(examples)
        return cls(examples, encoded, [one.astype(np.float16) for one in reader.run(encoded, read=_features)])


def _directions(parts: Sequence[_Part]) -> np.ndarray:
    """From the mean of all context tokens to that of the first, and of the last, tokens of answers: [hidden, 2].

    Only examples that have an answer count.
    """
    sums: Any = 0.0
    counts = np.zeros(3)
    for part in parts:
        totals = []
        for index, example in enumerate(part.examples):
            if not example.target:
                continue
            own = [place for place, feature in enumerate(part.encoded.features) if feature.example == index]
            targets = token_targets([part.encoded.features[place] for place in own], example.target)
            for place, target in zip(own, targets, strict=True):
                context = np.where(target == IGNORED, 0, target)
                context[0] = 0
                members = np.stack([context & START > 0, context & END > 0, (target != IGNORED)], axis=0)
                members[:, 0] = False
                counts += members.sum(axis=1)
                totals.append(members.astype(np.float32) @ part.vectors[place][: len(target)].astype(np.float32))
        if totals:
            sums = sums + np.sum(totals, axis=0)
    means = sums / np.maximum(counts, 1)[:, None]
    return np.stack([means[0] - means[2], means[1] - means[2]], axis=1).astype(np.float32)


def _without_null(predictions: list[Prediction]) -> list[Prediction]:
    for prediction in predictions:
        prediction.null = 0.0
    return predictions


def _features(model: FamilyModule, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The last hidden states at length one, [b, t, hidden]."""
    from torch.nn import functional

    return functional.normalize(model.base_model(**batch).last_hidden_state.float(), dim=-1)
