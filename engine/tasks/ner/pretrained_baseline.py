"""The pretrained baseline of taggers: frozen features of words with the nearest prototype of a tag.

No gradient step is taken, so that it shows what the pretrained model knows already (Snell et al. 2017; Fritzler et al. 2019). The
frequency of each tag is its prior: nearly all words belong to no entity. Does not know where model or examples come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file, save_file

from engine.schema import IGNORED, Example
from engine.tasks.ner.decode import EntityTypes, Tagged
from engine.tasks.ner.pieces import EncodedPieces
from engine.tasks.pretrained_baseline import BASELINE_FILE, ModelReader, Progress, missing_baseline

if TYPE_CHECKING:
    import torch
    from torch import nn

    from engine.models.unwrap import FamilyModule
    from engine.tasks.model import EncoderTask

# Training rows; prototypes hardly move beyond that. Bytes too, of which four or five are a token in any language: of long texts
# fewer have as much to show.
MOST_EXAMPLES, MOST_BYTES = 200, 40_000
# Cosines of one encoder's words lie close together; their differences become log-probabilities at this temperature.
TEMPERATURE = 0.05


class NearestPrototype:
    """The pretrained baseline of a tagging run, kept beside its fine-tuned model: `prototypes` [tags, hidden], `frequency` [tags]."""

    def __init__(self, prototypes: np.ndarray, frequency: np.ndarray):
        self.prototypes = prototypes
        self.frequency = frequency

    @classmethod
    def fit(
        cls,
        reader: ModelReader[EncoderTask[EntityTypes, list[Tagged]], EntityTypes],
        examples: Sequence[Example],
        seed: int,
    ) -> NearestPrototype:
        """`reader` reads with the pretrained model; `examples` are the training rows."""
        chosen = _some_with_every_type(examples, seed)
        encoded = reader.encode(chosen)
        reader.task.attach_targets(encoded, chosen, reader.outputs)
        targets = [np.array(feature.token_targets) for feature in encoded.features]
        features = reader.run(encoded, read=unit_features)
        tags = 1 + 2 * len(reader.outputs.labels)
        sums, counts = np.zeros((tags, features[0].shape[-1])), np.zeros(tags)
        for vectors, target in zip(features, targets, strict=True):
            known = np.flatnonzero(target != IGNORED)
            np.add.at(sums, target[known], vectors[known])
            counts += np.bincount(target[known], minlength=tags)
        # Where all entities of a type are one word long, its inside tag takes the prototype of its first word.
        for inside in range(2, tags, 2):
            if not counts[inside]:
                sums[inside] = sums[inside - 1]
        norms = np.linalg.norm(sums, axis=-1, keepdims=True)
        return cls(sums / np.maximum(norms, 1e-12), (counts + 1.0) / (counts.sum() + tags))

    def predict(
        self,
        reader: ModelReader[EncoderTask[EntityTypes, list[Tagged]], EntityTypes],
        examples: Sequence[Example],
        encoded: EncodedPieces | None = None,
        progress: Progress | None = None,
    ) -> list[Tagged]:
        """What the task's `predict` gives."""
        import torch

        encoded = encoded or reader.encode(examples)
        device = reader.device.name
        prototypes = torch.tensor(self.prototypes, dtype=torch.float32, device=device)
        prior = torch.tensor(np.log(self.frequency), dtype=torch.float32, device=device)

        def read(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            return unit_features(model, batch) @ prototypes.T / TEMPERATURE + prior

        logits = reader.run(encoded, read=read, progress=progress)
        return reader.task.predict(logits, encoded, len(examples), reader.outputs)

    def save(self, directory: Path) -> None:
        tensors = {"prototypes": self.prototypes, "frequency": self.frequency}
        save_file({name: values.astype(np.float32) for name, values in tensors.items()}, directory / BASELINE_FILE)

    @classmethod
    def is_in(cls, directory: Path) -> bool:
        return (directory / BASELINE_FILE).is_file()

    @classmethod
    def load(cls, directory: Path) -> NearestPrototype:
        path = directory / BASELINE_FILE
        if not path.is_file():
            raise missing_baseline("no_prototypes")
        return cls(**load_file(path))


def unit_features(model: FamilyModule, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The encoder's last hidden states at length 1, [b, t, hidden]."""
    hidden = model.base_model(**batch).last_hidden_state.float()
    return hidden / hidden.norm(dim=-1, keepdim=True).clamp_min(1e-12)


def _some_with_every_type(examples: Sequence[Example], seed: int) -> list[Example]:
    """A sample in which every entity type of the rows occurs."""
    order = np.random.default_rng(seed).permutation(len(examples))
    chosen: list[Example] = []
    seen: set[str] = set()
    read = 0
    for position, index in enumerate(order):
        types = {span["label"] for span in examples[index].target}
        if (position < MOST_EXAMPLES and read < MOST_BYTES) or types - seen:
            chosen.append(examples[index])
            read += len(examples[index].inputs["text"].encode())
            seen |= types
    return chosen
