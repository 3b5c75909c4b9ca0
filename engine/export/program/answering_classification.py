"""Asking a text classifier: one label a text, several, or one for a pair of texts.

A text longer than the model reads is read in overlapping windows, whose probabilities are averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from reading import OnnxModel, TorchModel, read_all
from transformers import AutoModelForSequenceClassification, AutoTokenizer

INPUTS = ("text",)  # what must be given of each row
OPTIONAL = ("text_pair",)


class Answering:
    """The model and its tokenizer. `facts` are those of tunebench.json."""

    def __init__(self, folder: Path, facts: dict[str, Any], onnx: str | Path | None = None):
        self.labels: list[str] = facts["outputs"]["labels"]
        self.multi_label: bool = facts["outputs"]["multi_label"]
        self.max_length: int = facts["max_length"]
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if onnx:
            self.model: Any = OnnxModel(Path(onnx), ["logits"])
        else:
            self.model = TorchModel(folder, AutoModelForSequenceClassification, ["logits"])

    def answer(self, rows: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        """`label` (and `labels`), `confidence`, `probabilities` by label, highest first, and `windows` for each row."""
        owners, sequences = self._encode(rows)
        logits = np.stack([said[0] for said in read_all(self.model, sequences, self.tokenizer.pad_token_id)])
        if self.multi_label:
            each = 1.0 / (1.0 + np.exp(-logits.astype(np.float64)))
        else:
            shifted = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
            each = shifted / shifted.sum(axis=1, keepdims=True)
        windows = np.bincount(owners, minlength=len(rows))
        total = np.zeros((len(rows), each.shape[1]))
        np.add.at(total, np.array(owners), each)
        return [self._said(row, count) for row, count in zip(total / windows[:, None], windows, strict=True)]

    def _said(self, row: np.ndarray, windows: int) -> dict[str, Any]:
        order = np.argsort(-row, kind="stable")
        answer: dict[str, Any] = {
            "label": self.labels[order[0]],
            "confidence": float(row[order[0]]),
            "probabilities": {self.labels[index]: float(row[index]) for index in order},
            "windows": int(windows),
        }
        if self.multi_label:
            answer["labels"] = [self.labels[index] for index in order if row[index] >= 0.5]
        return answer

    def _encode(self, rows: Sequence[dict[str, str]]) -> tuple[list[int], list[dict[str, list[int]]]]:
        """The token sequences of all rows, and which row each is of."""
        paired = any(row.get("text_pair") is not None for row in rows)
        owners: list[int] = []
        sequences: list[dict[str, list[int]]] = []
        for index, row in enumerate(rows):
            texts = (row["text"], (row.get("text_pair") or "") if paired else None)
            whole = self.tokenizer(*texts, verbose=False)
            parts = [whole]
            if len(whole["input_ids"]) > self.max_length:
                cut = self.tokenizer(
                    *texts,
                    truncation=True,
                    max_length=self.max_length,
                    stride=self.max_length // 4,
                    return_overflowing_tokens=True,
                )
                parts = [{name: cut[name][window] for name in whole} for window in range(len(cut["input_ids"]))]
            for part in parts:
                names = ["input_ids"] + (["token_type_ids"] if paired and "token_type_ids" in part else [])
                owners.append(index)
                sequences.append({name: list(part[name]) for name in names})
        return owners, sequences
