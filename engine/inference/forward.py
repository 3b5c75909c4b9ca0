"""Forward passes: one batch with or without gradients, or many sequences fast and in order.

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

ReadBatch = Callable[
    [nn.Module, dict[str, torch.Tensor]], torch.Tensor
]  # takes a model and a batch to a tensor [b, ...]


def token_budget(device: Device) -> int:
    """Tokens of a batch in a forward pass alone, padding included.

    A CPU's caches hold the activations of one or two thousand tokens, and smaller batches of more equal length have less padding. In bf16
    the weights are reordered for every batch, so that larger batches pay.
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
            if feature.token_type_ids is not None:
                types[row, : len(feature)] = feature.token_type_ids
        batch["token_type_ids"] = torch.from_numpy(types)
    if features[0].token_targets is not None:
        targets = [feature.token_targets or [] for feature in features]
        # A decoder's targets may be longer or shorter than what the encoder reads.
        labels = np.full((len(features), max(map(len, targets))), IGNORED, dtype=np.int64)
        for row, target in enumerate(targets):
            labels[row, : len(target)] = target
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
    """Compute the frozen layers of a model for every feature, always in the same batches: a resumed run has the same numbers."""
    done = 0
    for indices in by_length([len(feature) for feature in features], token_budget(device), len(features)):
        batch = batch_of([features[index] for index in indices], pad_token_id, device)
        with device.autocast():
            lower.fill(batch)
        done += len(indices)
        progress(done, len(features))


def batch_of(
    features: Sequence[Feature], pad_token_id: int, device: Device, targets: bool = False
) -> dict[str, torch.Tensor]:
    """The features as a batch on the device, without `labels` unless `targets`."""
    batch = collate(features, pad_token_id)
    if not targets:
        batch.pop("labels", None)
    return {name: tensor.to(device.name) for name, tensor in batch.items()}


def forward(model: nn.Module, batch: dict[str, torch.Tensor], device: Device, read: ReadBatch) -> torch.Tensor:
    """What `read` takes from the model on a batch, [b, ...], float32. Gradients flow where the caller has them enabled."""
    with device.autocast():
        return read(model, batch).float()


def run(
    model: nn.Module,
    features: Sequence[Feature],
    pad_token_id: int,
    device: Device,
    *,
    batch_size: int = 256,
    read: ReadBatch,
    progress: Callable[[int, int], None] | None = None,
) -> list[np.ndarray]:
    """What `read` takes from the model on every feature, in their order, float32 and without gradients.

    Each feature gets its row of the batch's tensor [b, ...], padded as its batch was. `progress` is called with (done, total) after every
    batch; an exception of it ends the run.
    """
    lengths = [len(feature) for feature in features]
    rows: list[np.ndarray] = [np.empty(0)] * len(features)
    done = 0
    model.eval()
    with torch.inference_mode(), device.autocast():
        for indices in by_length(lengths, token_budget(device), batch_size):
            batch = batch_of([features[index] for index in indices], pad_token_id, device)
            for index, row in zip(indices, forward(model, batch, device, read).cpu().numpy(), strict=True):
                rows[index] = row
            done += len(indices)
            if progress is not None:
                progress(done, len(features))
    return rows
