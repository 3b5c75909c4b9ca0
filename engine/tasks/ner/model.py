"""Named entities: which parts of a text are of which type.

Knows how spans become targets of tokens, the loss, and how logits become spans with scores. How a text is cut into words and
tokens, and what is a legal sequence of tags, is in `engine.tasks.ner`. PyTorch and the tokenizers are imported where they are
used: the page reads this module without them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.config import ModelConfig
from engine.core.errors import LabelProblem
from engine.core.text import Text
from engine.data.findings import excerpt, many, some
from engine.evaluation.intervals import MetricsFrom
from engine.schema import IGNORED, Encoded, Example, Notice, Place
from engine.tasks.base import EvaluationData
from engine.tasks.ner.alignment import Span, found_spans, tags_of
from engine.tasks.ner.counts import metrics_from_counts, statistics
from engine.tasks.ner.decoding import best_tags, tag_names
from engine.tasks.ner.spec import NerSpec
from engine.tasks.ner.words import PIECE, TOKEN, WORD, cuts_word
from engine.tasks.prototypes import NearestPrototype

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from engine.inference.reader import Reader
    from engine.models.load import LoadedModel
    from engine.tasks.ner.pieces import EncodedPieces, Pieces

MOST_TYPES = 200
INNER_EDGES = 0.01  # share of the spans that cut a word from which on every piece of a word gets a tag of its own


@dataclass(frozen=True, slots=True)
class EntityTypes:
    """The entity types in a fixed order. `pieces` says that parts of words are tagged apart, as in languages with endings."""

    labels: list[str]
    pieces: bool = False

    @property
    def index(self) -> dict[str, int]:
        return {label: position for position, label in enumerate(self.labels)}

    def to_dict(self) -> dict[str, Any]:
        return {"labels": self.labels, "pieces": self.pieces}


@dataclass(slots=True)
class Tagged:
    """What a model says of one text: log-probabilities [units, tags] of the units at `starts` and `ends`, and its spans."""

    starts: np.ndarray
    ends: np.ndarray
    log_probabilities: np.ndarray
    spans: list[Span]


class Ner:
    spec = NerSpec()
    untuned = NearestPrototype

    @property
    def reader(self) -> type[Reader]:
        from engine.inference.reader import Reader

        return Reader

    def default_metric(self, types: EntityTypes) -> str:
        return "f1"

    def outputs(self, train: Sequence[Example]) -> EntityTypes:
        """The entity types of the training rows, sorted. LabelProblem when there is none, or when they are no types."""
        self.spec.require_labels(train)
        labels = sorted({span["label"] for example in train for span in example.target})
        if len(labels) > MOST_TYPES:
            shown = ", ".join(repr(label) for label in labels[:3])
            raise LabelProblem(
                "too_many_types",
                Text(
                    f"There are {len(labels):,} different entity types ({shown}, ...): these look like texts, not types.",
                    f"共有 {len(labels):,} 种实体类型（{shown} 等），看起来是文本而不是类型。",
                ),
                Text("Choose the column that holds tags or spans.", "请选择包含标注或实体区间的列。"),
                labels=labels[:20],
            )
        free = [example for example in train if example.inputs.get("tokens") is None]
        spans = sum(len(example.target) for example in free)
        cut = sum(cuts_word(example.inputs["text"], example.target) for example in free)
        return EntityTypes(labels, pieces=cut > INNER_EDGES * spans)

    def outputs_from(self, values: dict[str, Any]) -> EntityTypes:
        return EntityTypes(**values)

    def load(self, source: str, types: EntityTypes, model: ModelConfig, **options: Any) -> LoadedModel:
        """A pretrained encoder with a layer that tags tokens (ModelProblem)."""
        from transformers import AutoModelForTokenClassification

        from engine.models.load import load_encoder

        return load_encoder(
            source,
            AutoModelForTokenClassification,
            labels=tag_names(types.labels),
            revision=model.revision,
            layers=model.layers,
            **options,
        )

    def encode(
        self,
        examples: Sequence[Example],
        tokenizer: PreTrainedTokenizerBase,
        max_length: int | None,
        windows: bool = False,
    ) -> EncodedPieces:
        """Token sequences for examples, long texts in overlapping windows, each token of a text read in one of them."""
        from engine.tasks.ner.pieces import encode_pieces

        return encode_pieces(examples, tokenizer, max_length, windows)

    def attach_targets(self, encoded: EncodedPieces, examples: Sequence[Example], types: EntityTypes) -> list[Notice]:
        """Give every first piece of what gets one tag (`reading_level`) the number of its tag, all others IGNORED.

        A token that the row came with is one example, however many words it is made of: an address on the web would else be ten of
        them, all outside entities, and recall would fall. Says which spans tags cannot express.
        """
        targets: list[np.ndarray] = []
        lost: list[tuple[Example, Span]] = []
        for example, pieces in zip(examples, encoded.pieces, strict=True):
            heads, starts, ends = pieces.units(reading_level(pieces, types))
            tags, missed = tags_of(example.inputs["text"], starts, ends, example.target, types.index)
            target = np.full(len(pieces.starts) + 1, IGNORED, dtype=np.int64)  # the last is read where there is nothing
            target[heads] = tags
            targets.append(target)
            lost += [(example, span) for span in missed]
        for feature in encoded.features:
            feature.token_targets = targets[feature.example][feature.reads].tolist()
        return [_cannot_be_tagged(lost)] if lost else []

    def class_weights(self, examples: Sequence[Example], types: EntityTypes) -> list[float]:
        """A weight for each tag, by the inverse square root of its frequency among words, 1 on average over the words.

        Words outside any entity are so many that the plain inverse would make a tagger see entities everywhere.
        """
        counts = np.zeros(1 + 2 * len(types.labels))
        for example in examples:
            starts, ends = _plain_units(example)
            tags, _ = tags_of(example.inputs["text"], starts, ends, example.target, types.index)
            counts += np.bincount(tags, minlength=len(counts))
        weights = 1.0 / np.sqrt(np.maximum(counts, 1.0))
        return (weights * counts.sum() / (weights * counts).sum()).tolist()

    def read(self, model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Logits [b, t, tags]."""
        return model(**batch).logits

    def loss(
        self,
        model: nn.Module,
        batch: dict[str, torch.Tensor],
        weights: torch.Tensor | None = None,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Cross-entropy over the tags of the tokens that have one."""
        from torch.nn import functional

        logits = self.read(model, {name: tensor for name, tensor in batch.items() if name != "labels"}).float()
        targets = batch["labels"].flatten()
        if not (targets != IGNORED).any():
            return logits.sum() * 0.0  # a window in the middle of one endless word has nothing to learn from
        return functional.cross_entropy(
            logits.flatten(0, 1), targets, weight=weights, label_smoothing=smoothing, ignore_index=IGNORED
        )

    def predict(self, logits: list[np.ndarray], encoded: EncodedPieces, count: int, types: EntityTypes) -> list[Tagged]:
        """Logits [tokens, tags] of each feature to the spans of each example; a row of tokens gets one tag a token."""
        tags = 1 + 2 * len(types.labels)
        said = [np.zeros((len(pieces.starts) + 1, tags)) for pieces in encoded.pieces]
        for feature, values in zip(encoded.features, logits, strict=True):
            said[feature.example][feature.reads] = _log_softmax(values[: len(feature)])
        units = [pieces.units(reading_level(pieces, types)) for pieces in encoded.pieces]
        heads = [values[first] for values, (first, _, _) in zip(said, units, strict=True)]
        return [
            Tagged(starts, ends, values, found_spans(starts, ends, path, values, types.labels))
            for values, path, (_, starts, ends) in zip(heads, best_tags(heads), units, strict=True)
        ]

    def settle(self, examples: Sequence[Example], predictions: Sequence[Tagged], types: EntityTypes) -> EntityTypes:
        return types

    def evaluation_loss(self, examples: Sequence[Example], predictions: Sequence[Tagged], types: EntityTypes) -> float:
        """The mean negative log-likelihood of the units' true tags."""
        total, units = 0.0, 0
        for example, said in zip(examples, predictions, strict=True):
            tags, _ = tags_of(example.inputs["text"], said.starts, said.ends, example.target, types.index)
            total -= float(said.log_probabilities[np.arange(len(tags)), tags].sum())
            units += len(tags)
        return total / units if units else float("nan")

    def counts(self, examples: Sequence[Example], predictions: Sequence[Tagged], types: EntityTypes) -> np.ndarray:
        """Additive statistics [examples, k], from which every metric and its interval is computed."""
        return statistics([example.target for example in examples], [said.spans for said in predictions], types.labels)

    def metrics_from(self, types: EntityTypes) -> MetricsFrom:
        return metrics_from_counts(len(types.labels))

    def score(self, examples: Sequence[Example], predictions: Sequence[Tagged], types: EntityTypes) -> dict[str, float]:
        """The task's metrics on examples, each between 0 and 1."""
        values = self.metrics_from(types)(self.counts(examples, predictions, types).sum(axis=0))
        return {name: float(values[name]) for name in self.spec.metrics}

    def answers(
        self, examples: Sequence[Example], predictions: Sequence[Tagged], encoded: Encoded, types: EntityTypes
    ) -> list[dict[str, Any]]:
        """`entities` ({start, end, label, text, score}, in order), `types` (all that could be found) and `windows` for each row."""
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
                    for span in said.spans
                ],
                "types": types.labels,
                "windows": int(count),
            }
            for example, said, count in zip(examples, predictions, windows, strict=True)
        ]

    def cells(self, answers: Sequence[dict[str, Any] | None], types: EntityTypes) -> dict[str, list[Any]]:
        """`found`, the entities to read, and `entities`, the same with their places and scores."""
        return {
            "found": [
                answer and "; ".join(f"{e['text']} ({e['label']})" for e in answer["entities"]) for answer in answers
            ],
            "entities": [
                answer and [{**entity, "score": round(entity["score"], 6)} for entity in answer["entities"]]
                for answer in answers
            ],
        }

    def report(self, judgement: EvaluationData) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
        """The report, and one record for each test row."""
        from engine.tasks.ner.report import build_report, records

        return build_report(judgement), records(judgement)


def reading_level(pieces: Pieces, types: EntityTypes) -> int:
    """What gets one tag when a text is read: a token that the row came with, else a word, or a piece of one."""
    if pieces.from_tokens:
        return TOKEN
    return PIECE if types.pieces else WORD


def _plain_units(example: Example) -> tuple[np.ndarray, np.ndarray]:
    from engine.tasks.ner.words import split_words

    words, _ = split_words(example.inputs["text"], example.inputs.get("tokens"))
    return np.array([start for start, _ in words], np.int64), np.array([end for _, end in words], np.int64)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _cannot_be_tagged(lost: Sequence[tuple[Example, Span]]) -> Notice:
    places = [Place("train", example.row, "", excerpt(example.inputs["text"], span["start"])) for example, span in lost]
    kinds = Counter(span["label"] for _, span in lost)
    named = ", ".join(f"{label} ({count})" for label, count in kinds.most_common(5))
    return Notice(
        "cannot_be_tagged",
        "warning",
        Text(
            f"{many(len(lost), 'training entity', 'training entities')} overlap others, or begin or end where no word does, and cannot be learned exactly: {named}.",
            f"{len(lost):,} 个训练实体与其他实体重叠，或边界不在词的边界上，无法被精确学习：{named}。",
        ),
        len(lost),
        some(places),
    )
