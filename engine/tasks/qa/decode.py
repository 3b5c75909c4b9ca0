"""From questions and contexts to token sequences, and from start and end logits to answers.

Knows windows and ranked spans (through the modules beside it), the threshold of "no answer" and the shape of an answer. It and
all it imports travel with an exported model as they are. Does not know training, metrics or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.schema import Encoded, Example, Feature
from engine.tasks.qa.spans import Prediction, Span, rank_spans
from engine.tasks.qa.windows import encode_windows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SHOWN_SPANS = 10  # in an answer's `nbest`


@dataclass(frozen=True, slots=True)
class Answers:
    """What can be answered: whether "none" is possible, the longest span in characters, and SQuAD 2.0's threshold.

    `threshold` is chosen on the validation rows; it matters only where `unanswerable`.
    """

    unanswerable: bool
    longest_answer: int
    threshold: float = 0.0

    @property
    def labels(self) -> list[str]:
        return []

    def to_dict(self) -> dict[str, Any]:
        return {
            "unanswerable": self.unanswerable,
            "longest_answer": self.longest_answer,
            "threshold": self.threshold,
        }


def outputs_from(values: dict[str, Any]) -> Answers:
    """The inverse of `Answers.to_dict`."""
    return Answers(**values)


def encode(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_length: int | None, windows: bool
) -> Encoded:
    """Token sequences of {"context", "question"}: see `windows.encode_windows`."""
    return encode_windows(examples, tokenizer, max_length, windows)


def predict(logits: Sequence[np.ndarray], encoded: Encoded, count: int, outputs: Answers) -> list[Prediction]:
    """Start and end logits [tokens, 2] of each feature to ranked spans and the score of no answer, whatever the threshold."""
    windows: list[list[tuple[Feature, np.ndarray]]] = [[] for _ in range(count)]
    for feature, values in zip(encoded.features, logits, strict=True):
        windows[feature.example].append((feature, values))
    return [rank_spans(own, outputs.longest_answer) for own in windows]


def is_empty(prediction: Prediction, outputs: Answers) -> bool:
    """Whether the answer is "no answer"."""
    return not prediction.spans or (outputs.unanswerable and prediction.difference > outputs.threshold)


def span_text(example: Example, spans: Sequence[Span]) -> str:
    """The text of the first of `spans` in the example's context, empty where there is none."""
    return example.inputs["context"][spans[0].start : spans[0].end] if spans else ""


def answers(
    examples: Sequence[Example], predictions: Sequence[Prediction], encoded: Encoded, outputs: Answers
) -> list[dict[str, Any]]:
    """`answer` with `start` and `end` in characters of the context, or an empty `answer` and no place for "no answer".

    `confidence` is that of the given answer, `no_answer` the probability of there being none, `best` the best span also where
    none is given, `nbest` the ranked spans, `alternatives` the best ones elsewhere in the text; `windows` counts the parts in
    which the context was read, `question_cut` tells that the question was too long to be read whole.
    """
    rows = []
    for index, (example, prediction) in enumerate(zip(examples, predictions, strict=True)):
        empty = is_empty(prediction, outputs)
        nbest = _described(example, prediction, prediction.spans[:SHOWN_SPANS], outputs)
        apart = _described(example, prediction, prediction.apart, outputs)
        _, no_answer = prediction.probabilities((), outputs.unanswerable)
        best = nbest[0] if nbest else {"text": "", "start": None, "end": None, "confidence": 0.0}
        rows.append(
            {
                "answer": "" if empty else best["text"],
                "start": None if empty else best["start"],
                "end": None if empty else best["end"],
                "confidence": no_answer if empty else best["confidence"],
                "no_answer": no_answer,
                "best": best,
                "nbest": nbest,
                "alternatives": apart[1:],
                "windows": len(prediction.windows),
                "question_cut": index in encoded.shortened,
            }
        )
    return rows


def _described(
    example: Example, prediction: Prediction, spans: Sequence[Span], outputs: Answers
) -> list[dict[str, Any]]:
    probabilities, _ = prediction.probabilities(spans, outputs.unanswerable)
    return [
        {
            "text": span_text(example, [span]),
            "start": span.start,
            "end": span.end,
            "confidence": probability,
            "score": span.score,
        }
        for span, probability in zip(spans, probabilities, strict=True)
    ]
