"""Asking a reader: where in a text the answer to a question stands, or that there is none.

A context longer than the model reads is read in overlapping windows, whose spans are ranked together.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from reading import OnnxModel, TorchModel, read_all
from rules.answering_spans import Prediction, Span, read_windows
from rules.answering_windows import encode
from rules.tasks_base import Example, Feature
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

INPUTS = ("context", "question")  # what must be given of each row
OPTIONAL: tuple[str, ...] = ()
LOGITS = ["start_logits", "end_logits"]
SHOWN = 10  # spans given with an answer


class Answering:
    """The model and its tokenizer. `facts` are those of tunebench.json."""

    def __init__(self, folder: Path, facts: dict[str, Any], onnx: str | Path | None = None):
        outputs = facts["outputs"]
        self.unanswerable: bool = outputs["unanswerable"]
        self.longest: int = outputs["longest_answer"]
        self.threshold: float = outputs["threshold"]
        self.max_length: int = facts["max_length"]
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model: Any = (
            OnnxModel(Path(onnx), LOGITS) if onnx else TorchModel(folder, AutoModelForQuestionAnswering, LOGITS)
        )

    def answer(self, rows: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        """`answer` with `start` and `end` in characters of the context, or an empty `answer` and no place for "no answer".

        `confidence` is that of what is said, `no_answer` the share of there being none, `best` the best span also where none is
        given, `nbest` the ranked spans, `alternatives` the best ones elsewhere in the text.
        """
        examples = [Example(number, dict(row), None) for number, row in enumerate(rows, start=1)]
        encoded = encode(examples, self.tokenizer, self.max_length, True)
        sequences = [_sequence(feature, encoded.features) for feature in encoded.features]
        logits = read_all(self.model, sequences, self.tokenizer.pad_token_id)
        windows: list[list[tuple[Feature, np.ndarray]]] = [[] for _ in rows]
        for feature, (start, end) in zip(encoded.features, logits, strict=True):
            windows[feature.example].append((feature, np.stack([start, end], axis=-1)))
        answers = []
        for index, (row, own) in enumerate(zip(rows, windows, strict=True)):
            prediction = read_windows(own, self.longest)
            answers.append({**self._said(row["context"], prediction), "question_cut": index in encoded.shortened})
        return answers

    def _said(self, context: str, prediction: Prediction) -> dict[str, Any]:
        silent = not prediction.spans or (self.unanswerable and prediction.difference > self.threshold)
        nbest = self._shown(context, prediction, prediction.spans[:SHOWN])
        _, nothing = prediction.probabilities((), self.unanswerable)
        best = nbest[0] if nbest else {"text": "", "start": None, "end": None, "confidence": 0.0}
        return {
            "answer": "" if silent else best["text"],
            "start": None if silent else best["start"],
            "end": None if silent else best["end"],
            "confidence": nothing if silent else best["confidence"],
            "no_answer": nothing,
            "best": best,
            "nbest": nbest,
            "alternatives": self._shown(context, prediction, prediction.apart)[1:],
            "windows": len(prediction.windows),
        }

    def _shown(self, context: str, prediction: Prediction, spans: Sequence[Span]) -> list[dict[str, Any]]:
        shares, _ = prediction.probabilities(spans, self.unanswerable)
        return [
            {
                "text": context[span.start : span.end],
                "start": span.start,
                "end": span.end,
                "confidence": share,
                "score": span.score,
            }
            for span, share in zip(spans, shares, strict=True)
        ]


def _sequence(feature: Feature, features: Sequence[Feature]) -> dict[str, list[int]]:
    """What the model is given of a window; the kinds of its tokens where any window has them."""
    if all(other.token_type_ids is None for other in features):
        return {"input_ids": feature.input_ids}
    return {"input_ids": feature.input_ids, "token_type_ids": feature.token_type_ids or [0] * len(feature)}
