"""Running a model over many sequences, fast and in order.

Knows batches, padding and devices. Does not know what the logits mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from engine.models.batching import by_length
from engine.models.device import Device
from engine.models.speed.frozen_layer_cache import FrozenLayerCache
from engine.schema import IGNORED, Feature


def tokens_at_once(device: Device) -> int:
    """Tokens of a batch that is only read, padding counted.

    A processor's caches hold what comes of a thousand or two, and fewer texts of more equal length are padded less. In bf16 the
    weights are put in order anew for every batch, so that it has to be worth it.
    """
    if device.name != "cpu":
        return 8192
    return 1024 if device.dtype == torch.float32 else 2048


def collate(features: Sequence[Feature], pad_token_id: int) -> dict[str, torch.Tensor]:
    """Right-padded tensors [b, t] of `input_ids`, `attention_mask` and, where present, `token_type_ids` and `labels`.

    `labels` are the features' targets, stacked, or their token targets [b, longest], padded with IGNORED.
    """
    width = max(len(feature) for feature in features)
    ids = np.full((len(features), width), pad_token_id, dtype=np.int64)
    mask = np.zeros((len(features), width), dtype=np.int64)
    for row, feature in enumerate(features):
        ids[row, : len(feature)] = feature.input_ids
        mask[row, : len(feature)] = 1
    batch = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
    if any(feature.token_type_ids is not None for feature in features):
        types = np.zeros_like(ids)
        for row, feature in enumerate(features):
            types[row, : len(feature)] = feature.token_type_ids
        batch["token_type_ids"] = torch.from_numpy(types)
    if features[0].token_targets is not None:
        # A decoder's targets may be longer or shorter than what the encoder reads.
        longest = max(len(feature.token_targets) for feature in features)
        labels = np.full((len(features), longest), IGNORED, dtype=np.int64)
        for row, feature in enumerate(features):
            labels[row, : len(feature.token_targets)] = feature.token_targets
        batch["labels"] = torch.from_numpy(labels)
    elif features[0].target is not None:
        batch["labels"] = torch.tensor([feature.target for feature in features])
    return batch


def read_below(
    lower: FrozenLayerCache,
    features: Sequence[Feature],
    pad_token_id: int,
    device: Device,
    progress: Callable[[int, int], None],
) -> None:
    """Have the frozen layers of a model read every feature, always in the same batches: a resumed run has the same numbers."""
    done = 0
    for indices in by_length([len(feature) for feature in features], tokens_at_once(device), len(features)):
        batch = collate([features[index] for index in indices], pad_token_id)
        batch.pop("labels", None)
        with device.autocast():
            lower.fill({name: tensor.to(device.name) for name, tensor in batch.items()})
        done += len(indices)
        progress(done, len(features))


def run(
    model: nn.Module,
    features: Sequence[Feature],
    pad_token_id: int,
    device: Device,
    *,
    batch_size: int = 256,
    read: Callable[[nn.Module, dict[str, torch.Tensor]], torch.Tensor],
    progress: Callable[[int, int], None] | None = None,
) -> list[np.ndarray]:
    """What the model says of every feature, in their order, float32.

    `read` turns a model and a batch into a tensor [b, ...]; each feature gets its row, padded as its batch was.
    `progress` hears (done, total) after every batch; what it raises ends the work.
    """
    lengths = [len(feature) for feature in features]
    said: list[np.ndarray] = [np.empty(0)] * len(features)
    done = 0
    model.eval()
    with torch.inference_mode(), device.autocast():
        for indices in by_length(lengths, tokens_at_once(device), batch_size):
            batch = collate([features[index] for index in indices], pad_token_id)
            batch.pop("labels", None)
            batch = {name: tensor.to(device.name) for name, tensor in batch.items()}
            for index, row in zip(indices, read(model, batch).float().cpu().numpy(), strict=True):
                said[index] = row
            done += len(indices)
            if progress is not None:
                progress(done, len(features))
    return said


def mean_pooled(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The mean of the encoder's last hidden states over the real tokens, [b, hidden]."""
    hidden = model.base_model(**batch).last_hidden_state.float()
    mask = batch["attention_mask"].unsqueeze(-1).float()
    return (hidden * mask).sum(1) / mask.sum(1)
