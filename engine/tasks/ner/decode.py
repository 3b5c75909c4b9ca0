"""From texts to token sequences of a tagger, and from its logits to entities.

Knows windows, units and legal tag sequences (through the modules beside it) and the shape of an answer. It and all it imports
travel with an exported model as they are. Does not know training, metrics or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from engine.schema import Encoded, Example
from engine.tasks.ner.alignment import Span, spans_from_tags
from engine.tasks.ner.bio import best_tags
from engine.tasks.ner.pieces import EncodedPieces, PieceFeature, Pieces, encode_pieces
from engine.tasks.ner.words import PIECE, TOKEN, WORD

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class EntityTypes:
    """The entity types in a fixed order. `pieces` tells that parts of words are tagged apart, as in languages with endings."""

    labels: list[str]
    pieces: bool = False

    @property
    def index(self) -> dict[str, int]:
        return {label: position for position, label in enumerate(self.labels)}

    def to_dict(self) -> dict[str, Any]:
        return {"labels": self.labels, "pieces": self.pieces}


@dataclass(slots=True)
class Tagged:
    """The prediction for one text: log-probabilities [units, tags] of the units at `starts` and `ends`, and its spans."""

    starts: np.ndarray
    ends: np.ndarray
    log_probabilities: np.ndarray
    spans: list[Span]


def outputs_from(values: dict[str, Any]) -> EntityTypes:
    """The inverse of `EntityTypes.to_dict`."""
    return EntityTypes(**values)


def encode(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_length: int | None, windows: bool
) -> EncodedPieces:
    """Token sequences of {"text", perhaps "tokens"}, long texts in overlapping windows, each token predicted in one of them."""
    return encode_pieces(examples, tokenizer, max_length, windows)


def unit_level(pieces: Pieces, types: EntityTypes) -> int:
    """What gets one tag in a text: a token that the row came with, else a word, or a piece of one."""
    if pieces.from_tokens:
        return TOKEN
    return PIECE if types.pieces else WORD


def predict(logits: Sequence[np.ndarray], encoded: EncodedPieces, count: int, types: EntityTypes) -> list[Tagged]:
    """Logits [tokens, tags] of each feature to the spans of each example; a row of tokens gets one tag a token."""
    tags = 1 + 2 * len(types.labels)
    # One row more than there are pieces: tokens that no piece is read at (NOTHING, -1) write there.
    log_probabilities = [np.zeros((len(pieces.starts) + 1, tags)) for pieces in encoded.pieces]
    for feature, values in zip(encoded.features, logits, strict=True):
        log_probabilities[feature.example][cast(PieceFeature, feature).reads] = _log_softmax(values[: len(feature)])
    units = [pieces.units(unit_level(pieces, types)) for pieces in encoded.pieces]
    heads = [values[first] for values, (first, _, _) in zip(log_probabilities, units, strict=True)]
    return [
        Tagged(starts, ends, values, spans_from_tags(starts, ends, path, values, types.labels))
        for values, path, (_, starts, ends) in zip(heads, best_tags(heads), units, strict=True)
    ]


def answers(
    examples: Sequence[Example], predictions: Sequence[Tagged], encoded: Encoded, types: EntityTypes
) -> list[dict[str, Any]]:
    """`entities` ({start, end, label, text, score}, in order), `types` (all possible ones) and `windows` for each row."""
    windows = np.bincount([feature.example for feature in encoded.features], minlength=len(predictions))
    return [
        {
            "entities": [
                {
                    "start": span["start"],
                    "end": span["end"],
                    "label": span["label"],
                    "text": example.inputs["text"][span["start"] : span["end"]],
                    "score": span["score"],
                }
                for span in prediction.spans
            ],
            "types": types.labels,
            "windows": int(count),
        }
        for example, prediction, count in zip(examples, predictions, windows, strict=True)
    ]


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
