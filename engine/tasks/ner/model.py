"""Named entities: which parts of a text are of which type.

Knows how spans become targets of tokens, the loss, and how entities are scored; encoding and decoding are in decode.py. PyTorch
is imported where it is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.errors import LabelProblem
from engine.core.text import Text
from engine.data.findings import counted, excerpt, first_places
from engine.evaluation.intervals import MetricsFrom, Statistics
from engine.schema import IGNORED, Encoded, Example, Notice, Place
from engine.tasks.model import EncoderTask, EvaluationData
from engine.tasks.ner import decode
from engine.tasks.ner.alignment import Span, tags_of
from engine.tasks.ner.bio import tag_names
from engine.tasks.ner.counts import metrics_from_counts, statistics
from engine.tasks.ner.decode import EntityTypes, Tagged, unit_level
from engine.tasks.ner.pretrained_baseline import NearestPrototype
from engine.tasks.ner.spec import NerSpec
from engine.tasks.ner.words import cuts_word, split_words

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from engine.models.load import LoadedModel
    from engine.tasks.ner.pieces import EncodedPieces

MAX_TYPES = 200
INNER_EDGES = 0.01  # share of the spans that cut a word from which on every piece of a word gets a tag of its own


class Ner(EncoderTask[EntityTypes, list[Tagged]]):
    """Predictions are one `Tagged` an example."""

    spec = NerSpec()
    pretrained_baseline = NearestPrototype

    def default_metric(self, outputs: EntityTypes) -> str:
        return "f1"

    def outputs(self, train: Sequence[Example]) -> EntityTypes:
        """The entity types of the training rows, sorted. LabelProblem when there is none, or when they are no types."""
        self.spec.require_labels(train)
        labels = sorted({span["label"] for example in train for span in example.target})
        if len(labels) > MAX_TYPES:
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
        return decode.outputs_from(values)

    def load(
        self, source: str, outputs: EntityTypes, *, revision: str = "", layers: int | None = None, **options: Any
    ) -> LoadedModel:
        """A pretrained encoder with a token classification head (ModelProblem)."""
        from transformers import AutoModelForTokenClassification

        from engine.models.load import load_encoder

        return load_encoder(
            source,
            AutoModelForTokenClassification,
            labels=tag_names(outputs.labels),
            revision=revision,
            layers=layers,
            **options,
        )

    def encode(
        self,
        examples: Sequence[Example],
        tokenizer: PreTrainedTokenizerBase,
        max_length: int | None,
        windows: bool = False,
    ) -> EncodedPieces:
        return decode.encode(examples, tokenizer, max_length, windows)

    def attach_targets(self, encoded: Any, examples: Sequence[Example], outputs: EntityTypes) -> list[Notice]:
        """Give the first piece of every unit (`unit_level`) the number of its tag, all others IGNORED.

        A token that the row came with is one unit, however many words it is made of: a web address would otherwise be ten units, all
        outside entities, and recall would fall. The notice tells which spans tags cannot express.
        """
        targets: list[np.ndarray] = []
        lost: list[tuple[Example, Span]] = []
        for example, pieces in zip(examples, encoded.pieces, strict=True):
            heads, starts, ends = pieces.units(unit_level(pieces, outputs))
            tags, missed = tags_of(example.inputs["text"], starts, ends, example.target, outputs.index)
            target = np.full(
                len(pieces.starts) + 1, IGNORED, dtype=np.int64
            )  # the last stands for tokens at which no piece is read
            target[heads] = tags
            targets.append(target)
            lost += [(example, span) for span in missed]
        for feature in encoded.features:
            feature.token_targets = targets[feature.example][feature.reads].tolist()
        return [_cannot_be_tagged(lost)] if lost else []

    def class_weights(self, examples: Sequence[Example], outputs: EntityTypes) -> list[float]:
        """A weight for each tag, by the inverse square root of its frequency among words, 1 on average over the words.

        Most words are outside any entity: weighted by the plain inverse, a tagger would find entities everywhere.
        """
        counts = np.zeros(1 + 2 * len(outputs.labels))
        for example in examples:
            starts, ends = _plain_units(example)
            tags, _ = tags_of(example.inputs["text"], starts, ends, example.target, outputs.index)
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
            return logits.sum() * 0.0  # a window in the middle of one endless word has no target
        return functional.cross_entropy(
            logits.flatten(0, 1), targets, weight=weights, label_smoothing=smoothing, ignore_index=IGNORED
        )

    def predict(
        self, logits: Sequence[np.ndarray], encoded: EncodedPieces, count: int, outputs: EntityTypes
    ) -> list[Tagged]:
        return decode.predict(logits, encoded, count, outputs)

    def evaluation_loss(self, examples: Sequence[Example], predictions: list[Tagged], outputs: EntityTypes) -> float:
        """The mean negative log-likelihood of the units' true tags."""
        total, units = 0.0, 0
        for example, prediction in zip(examples, predictions, strict=True):
            tags, _ = tags_of(example.inputs["text"], prediction.starts, prediction.ends, example.target, outputs.index)
            total -= float(prediction.log_probabilities[np.arange(len(tags)), tags].sum())
            units += len(tags)
        return total / units if units else float("nan")

    def counts(self, examples: Sequence[Example], predictions: list[Tagged], outputs: EntityTypes) -> Statistics:
        return statistics(
            [example.target for example in examples], [prediction.spans for prediction in predictions], outputs.labels
        )

    def metrics_from(self, outputs: EntityTypes) -> MetricsFrom:
        return metrics_from_counts(len(outputs.labels))

    def answers(
        self, examples: Sequence[Example], predictions: list[Tagged], encoded: Encoded, outputs: EntityTypes
    ) -> list[dict[str, Any]]:
        return decode.answers(examples, predictions, encoded, outputs)

    def cells(self, answers: Sequence[dict[str, Any] | None], outputs: EntityTypes) -> dict[str, list[Any]]:
        """`found`, the entities as text, and `entities`, the same with their places and scores."""
        return {
            "found": [
                answer and "; ".join(f"{e['text']} ({e['label']})" for e in answer["entities"]) for answer in answers
            ],
            "entities": [
                answer and [{**entity, "score": round(entity["score"], 6)} for entity in answer["entities"]]
                for answer in answers
            ],
        }

    def report(
        self, data: EvaluationData[EntityTypes, list[Tagged]]
    ) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
        from engine.tasks.ner.report import build_report, records

        return build_report(data), records(data)


def _plain_units(example: Example) -> tuple[np.ndarray, np.ndarray]:
    words, _ = split_words(example.inputs["text"], example.inputs.get("tokens"))
    return np.array([start for start, _ in words], np.int64), np.array([end for _, end in words], np.int64)


def _cannot_be_tagged(lost: Sequence[tuple[Example, Span]]) -> Notice:
    places = [Place("train", example.row, "", excerpt(example.inputs["text"], span["start"])) for example, span in lost]
    kinds = Counter(span["label"] for _, span in lost)
    named = ", ".join(f"{label} ({count})" for label, count in kinds.most_common(5))
    return Notice(
        "cannot_be_tagged",
        "warning",
        Text(
            f"{counted(len(lost), 'training entity', 'training entities')} overlap others, or begin or end where no word does, and cannot be learned exactly: {named}.",
            f"{len(lost):,} 个训练实体与其他实体重叠，或边界不在词的边界上，无法被精确学习：{named}。",
        ),
        len(lost),
        first_places(places),
    )


TASK_MODEL = Ner
