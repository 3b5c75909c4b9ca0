"""Asking a tagger: which parts of a text are named entities, and of which type.

A text longer than the model reads is read in overlapping windows, each token in the one where most stands around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from reading import OnnxModel, TorchModel, read_all
from rules.tagging_alignment import found_spans
from rules.tagging_decoding import best_tags
from rules.tagging_pieces import encode_pieces
from rules.tagging_words import PIECE, WORD
from rules.tasks_base import Example
from transformers import AutoModelForTokenClassification, AutoTokenizer

INPUTS = ("text",)  # what must be given of each row
OPTIONAL: tuple[str, ...] = ()


class Answering:
    """The model and its tokenizer. `facts` are those of tunebench.json."""

    def __init__(self, folder: Path, facts: dict[str, Any], onnx: str | Path | None = None):
        self.labels: list[str] = facts["outputs"]["labels"]
        self.level = PIECE if facts["outputs"]["pieces"] else WORD  # what gets one tag
        self.max_length: int = facts["max_length"]
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if onnx:
            self.model: Any = OnnxModel(Path(onnx), ["logits"])
        else:
            self.model = TorchModel(folder, AutoModelForTokenClassification, ["logits"])

    def answer(self, rows: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        """`entities` ({start, end, label, text, score}, in order), `types` (all that could be found) and `windows` for each row."""
        examples = [Example(number, {"text": row["text"]}, None) for number, row in enumerate(rows, start=1)]
        encoded = encode_pieces(examples, self.tokenizer, self.max_length, True)
        sequences = [{"input_ids": feature.input_ids} for feature in encoded.features]
        logits = read_all(self.model, sequences, self.tokenizer.pad_token_id)
        said = [np.zeros((len(pieces.starts) + 1, 1 + 2 * len(self.labels))) for pieces in encoded.pieces]
        for feature, (values,) in zip(encoded.features, logits, strict=True):
            said[feature.example][feature.reads] = _log_softmax(values[: len(feature)])
        units = [pieces.units(self.level) for pieces in encoded.pieces]
        heads = [values[first] for values, (first, _, _) in zip(said, units, strict=True)]
        windows = np.bincount([feature.example for feature in encoded.features], minlength=len(rows))
        answers = []
        for row, values, path, (_, starts, ends), count in zip(
            rows, heads, best_tags(heads), units, windows, strict=True
        ):
            spans = found_spans(starts, ends, path, values, self.labels)
            entities = [
                {
                    "start": span["start"],
                    "end": span["end"],
                    "label": span["label"],
                    "text": row["text"][span["start"] : span["end"]],
                    "score": span["score"],
                }
                for span in spans
            ]
            answers.append({"entities": entities, "types": self.labels, "windows": int(count)})
        return answers


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
