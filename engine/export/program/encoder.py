"""Running an encoder over token sequences, with PyTorch or with ONNX Runtime.

Knows batches, padding, devices and number formats. Does not know what the outputs mean: answering.py does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from device import choose_device

if TYPE_CHECKING:
    from tunebench_decode.schema import Feature

MAX_TOKENS = 8192  # of a batch, padding counted
MAX_SEQUENCES = 256


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of the sequences of each batch, longest first: at most MAX_TOKENS tokens with the padding."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        size = max(1, min(MAX_SEQUENCES, MAX_TOKENS // max(1, lengths[order[start]])))
        yield order[start : start + size]
        start += size


def collate(features: Sequence[Feature], pad: int, token_types: bool) -> dict[str, np.ndarray]:
    """Right-padded int64 arrays [b, t]: `input_ids`, `attention_mask` and, if asked for, `token_type_ids`."""
    shape = (len(features), max(map(len, features)))
    batch = {"input_ids": np.full(shape, pad, np.int64), "attention_mask": np.zeros(shape, np.int64)}
    if token_types:
        batch["token_type_ids"] = np.zeros(shape, np.int64)
    for row, feature in enumerate(features):
        batch["input_ids"][row, : len(feature)] = feature.input_ids
        batch["attention_mask"][row, : len(feature)] = 1
        if feature.token_type_ids is not None:
            batch["token_type_ids"][row, : len(feature)] = feature.token_type_ids
    return batch


class TorchEncoder:
    """A transformers model on the device and in the number format that are fast here."""

    def __init__(self, folder: Path, auto_class: Any, outputs: Sequence[str]):
        import torch

        self._torch, self._outputs = torch, outputs
        self._device, self._dtype = choose_device(torch)
        model = auto_class.from_pretrained(folder, dtype=torch.float32, use_safetensors=True, local_files_only=True)
        self._model = model.to(self._device).eval()

    def __call__(self, batch: dict[str, np.ndarray]) -> list[np.ndarray]:
        torch = self._torch
        inputs = {name: torch.from_numpy(values).to(self._device) for name, values in batch.items()}
        mixed = self._dtype != torch.float32
        context = torch.autocast(self._device, dtype=self._dtype) if mixed else contextlib.nullcontext()
        with torch.inference_mode(), context:
            outputs = self._model(**inputs)
        return [outputs[name].float().cpu().numpy() for name in self._outputs]


class OnnxEncoder:
    """The same model as an ONNX file."""

    def __init__(self, path: Path, outputs: Sequence[str]):
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self._inputs = [value.name for value in self._session.get_inputs()]
        self._outputs = list(outputs)

    def __call__(self, batch: dict[str, np.ndarray]) -> list[np.ndarray]:
        inputs = {name: batch[name] if name in batch else np.zeros_like(batch["input_ids"]) for name in self._inputs}
        return [values.astype(np.float32) for values in self._session.run(self._outputs, inputs)]


def run(model: TorchEncoder | OnnxEncoder, features: Sequence[Feature], pad: int) -> list[list[np.ndarray]]:
    """The outputs of every feature, in their order: one array a field, padded as its batch was."""
    token_types = any(feature.token_type_ids is not None for feature in features)
    outputs: list[list[np.ndarray]] = [[]] * len(features)
    for indices in batches([len(feature) for feature in features]):
        fields = model(collate([features[index] for index in indices], pad, token_types))
        for row, index in enumerate(indices):
            outputs[index] = [field[row] for field in fields]
    return outputs
