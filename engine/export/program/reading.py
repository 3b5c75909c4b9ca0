"""Running an encoder over token sequences, with PyTorch or with ONNX Runtime.

Knows batches, padding, devices and number formats. Does not know what the outputs mean: answering.py does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from device import device_here

TOKENS_PER_BATCH = 8192
MOST_SEQUENCES = 256
Sequences = Sequence[dict[str, list[int]]]  # `input_ids`, and `token_type_ids` where the model has them


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of sequences that are read together, longest first: at most TOKENS_PER_BATCH tokens with the padding."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        size = max(1, min(MOST_SEQUENCES, TOKENS_PER_BATCH // max(1, lengths[order[start]])))
        yield order[start : start + size]
        start += size


def padded(sequences: Sequences, pad: int) -> dict[str, np.ndarray]:
    """Right-padded int64 arrays [b, t], with their `attention_mask`."""
    width = max(len(sequence["input_ids"]) for sequence in sequences)
    batch = {
        name: np.full((len(sequences), width), pad if name == "input_ids" else 0, np.int64) for name in sequences[0]
    }
    batch["attention_mask"] = np.zeros((len(sequences), width), np.int64)
    for row, sequence in enumerate(sequences):
        for name, values in sequence.items():
            batch[name][row, : len(values)] = values
        batch["attention_mask"][row, : len(sequence["input_ids"])] = 1
    return batch


class TorchModel:
    """A transformers model on the device and in the number format that are quick here."""

    def __init__(self, folder: Path, kind: Any, outputs: Sequence[str]):
        import torch

        self._torch, self._outputs = torch, outputs
        self._device, self._dtype = device_here(torch)
        model = kind.from_pretrained(folder, dtype=torch.float32, use_safetensors=True, local_files_only=True)
        self._model = model.to(self._device).eval()

    def __call__(self, batch: dict[str, np.ndarray]) -> list[np.ndarray]:
        torch = self._torch
        inputs = {name: torch.from_numpy(values).to(self._device) for name, values in batch.items()}
        quick = self._dtype != torch.float32
        context = torch.autocast(self._device, dtype=self._dtype) if quick else contextlib.nullcontext()
        with torch.inference_mode(), context:
            said = self._model(**inputs)
        return [said[name].float().cpu().numpy() for name in self._outputs]


class OnnxModel:
    """The same model as an ONNX file."""

    def __init__(self, path: Path, outputs: Sequence[str]):
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self._inputs = [given.name for given in self._session.get_inputs()]
        self._outputs = list(outputs)

    def __call__(self, batch: dict[str, np.ndarray]) -> list[np.ndarray]:
        filled = {name: batch[name] if name in batch else np.zeros_like(batch["input_ids"]) for name in self._inputs}
        return [said.astype(np.float32) for said in self._session.run(self._outputs, filled)]


def read_all(model: TorchModel | OnnxModel, sequences: Sequences, pad: int) -> list[list[np.ndarray]]:
    """What the model says of every sequence, in their order: one array an output, padded as its batch was."""
    said: list[list[np.ndarray]] = [[]] * len(sequences)
    for indices in batches([len(sequence["input_ids"]) for sequence in sequences]):
        outputs = model(padded([sequences[index] for index in indices], pad))
        for row, index in enumerate(indices):
            said[index] = [output[row] for output in outputs]
    return said
