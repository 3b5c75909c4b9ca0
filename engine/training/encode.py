"""The first half of the encode stage: token sequences of training and validation rows, and the settings that follow from their lengths.

Knows rows, the tokenizer and the defaults. Does not know which weights are trained (weights.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.models.speed.frozen_layer_cache import layers_of
from engine.schema import Encoded, Notice, Outputs
from engine.training import run_notices
from engine.training.context import RunContext
from engine.training.defaults import Resolved, as_before, common_length, resolve
from engine.training.load_model import LoadedStage
from engine.training.prepare import PreparedData, notice_to_dict


@dataclass(frozen=True, slots=True)
class EncodedData:
    """What is trained on and validated with, as token sequences, and the settings of this run with every default decided."""

    outputs: Outputs
    resolved: Resolved
    train: Encoded
    validation: Encoded
    notices: tuple[dict[str, Any], ...]  # of targets that could not be expressed, as the report repeats them

    @property
    def lengths(self) -> list[int]:
        """Tokens of each training sequence."""
        return [len(feature) for feature in self.train.features]


def encode(context: RunContext, data: PreparedData, stage: LoadedStage) -> EncodedData:
    """Encode the rows. A resumed run keeps the settings that its first attempt decided."""
    splits, task, config, loaded = data.splits, stage.task, data.config, stage.loaded
    outputs = stage.reader(loaded.model, stage.outputs, 0).prepare(splits.train, config)
    reader = stage.reader(loaded.model, outputs, 0)
    limit = reader.input_tokens(loaded.max_positions)
    whole = reader.encode_to_learn(splits.train, None)
    chosen = resolve(
        config,
        loaded.model.config,
        task.spec.hyperparameters,
        rows=len(splits.train),
        classes=len(outputs.labels),
        longest=common_length([len(feature) for feature in whole.features]),
        limit=limit,
        layers=len(layers_of(loaded.model) or ()),
    )
    resolved = as_before(chosen, context.run.manifest.facts)
    length = resolved.max_length
    fits = whole.longest <= length
    train = whole if fits else reader.encode_to_learn(splits.train, length, windows=task.spec.windowed)
    validation = stage.reader(loaded.model, outputs, length).encode(splits.validation)
    notices: list[Notice] = task.attach_targets(train, splits.train, outputs)
    for notice in notices:
        context.events.notice(notice.code, notice.message, notice.severity, count=notice.count)
    if train.truncated:
        in_parts = config.generation.long_documents == "parts"
        run_notices.truncation(context.events, task.spec, train, len(splits.train), length, limit, in_parts)
    return EncodedData(outputs, resolved, train, validation, tuple(map(notice_to_dict, notices)))
