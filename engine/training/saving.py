"""The save stage: the tuned model on disk, loaded again, and compared with the trained one.

Knows files and the description of a model. Does not know how the model was trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.inference.forward import collate
from engine.inference.saved import Description, load_tuned
from engine.models.adapters import save_model, verify_saved
from engine.models.speed import encoder_output_cache
from engine.models.unwrap import FamilyModule
from engine.schema import Feature
from engine.training.context import RunContext
from engine.training.encode import EncodedData
from engine.training.fit import TrainedModel
from engine.training.load_model import LoadedStage
from engine.training.prepare import PreparedData
from engine.training.weights import TrainableModel

COMPARED, COMPARED_TOKENS = 8, 512  # sequences and tokens on which the saved model is compared with the trained one
# The reloaded model computes the same products in another order; bf16 keeps 8 bits.
TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.05}


@dataclass(frozen=True, slots=True)
class SavedModel:
    """The model as it was read back from disk, ready to predict. `facts` are those of `TrainedModel` and what saving added."""

    model: nn.Module
    description: Description
    facts: dict[str, Any]


def save(
    context: RunContext,
    data: PreparedData,
    stage: LoadedStage,
    encoded: EncodedData,
    trainable: TrainableModel,
    trained: TrainedModel,
) -> SavedModel:
    """Write the model and load it again. RunFailure where it does not give the same logits."""
    config, device, task = data.config, stage.device, stage.task
    directory = context.run.path("model")
    directory.mkdir(exist_ok=True)
    save_model(trainable.model, stage.loaded, directory)
    description = Description(
        task=config.task,
        outputs=trained.outputs.to_dict(),
        max_length=encoded.resolved.max_length,
        method=config.method.name,
        base_model=config.model.id,
        base_revision=config.model.revision,
        columns=data.columns,
        layers=stage.layers,
        masked="mask_personal_data" in config.data.fixes,
        four_bit=config.method.four_bit,
    )
    description.save(directory)
    batch = collate(_first_features(encoded.train.features), stage.loaded.tokenizer.pad_token_id)
    batch.pop("labels")
    batch = {name: tensor.to(device.name) for name, tensor in batch.items()}
    reloaded: FamilyModule = load_tuned(directory, description, stage.attention, stage.fast.for_prediction()).model
    if not config.method.four_bit:
        reloaded = reloaded.to(device.name)

    def logits(model: nn.Module) -> torch.Tensor:
        with device.autocast():
            return task.read(model, batch)

    stage.fast.enable("cpu_attention", reloaded)
    stage.fast.enable("target_logits_only", reloaded)
    difference = verify_saved(trainable.model, lambda: reloaded, logits, TOLERANCE[device.dtype])
    model = stage.ready(reloaded)
    if trained.encoder_cache is not None:
        encoder_output_cache.enable(model, trained.encoder_cache)
    return SavedModel(model, description, {**trained.facts, "reload_difference": difference})


def _first_features(features: Sequence[Feature]) -> list[Feature]:
    """The first sequences, about COMPARED_TOKENS tokens of them: a model that was saved wrongly differs on any sequence."""
    most = max(1, COMPARED_TOKENS // max(map(len, features[:COMPARED])))
    return list(features[: min(COMPARED, most)])
