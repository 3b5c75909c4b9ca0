"""Text classification: one label a text, several labels a text, or one label for a pair of texts.

Knows how labels become targets, the loss, and how probabilities are scored; encoding and decoding are in decode.py. It does not
know files, splits, devices or reports. PyTorch is imported where it is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.errors import LabelProblem
from engine.core.text import Text
from engine.evaluation.intervals import MetricsFrom, Statistics
from engine.schema import Encoded, Example, Notice
from engine.tasks.classification import decode
from engine.tasks.classification.counts import class_targets, metrics_from_counts, statistics
from engine.tasks.classification.decode import Classes
from engine.tasks.classification.pretrained_baseline import NearestCentroid
from engine.tasks.classification.spec import ClassificationSpec
from engine.tasks.model import EncoderTask, EvaluationData

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from engine.models.load import LoadedModel


class Classification(EncoderTask[Classes, np.ndarray]):
    """Predictions are probabilities [examples, classes]."""

    spec = ClassificationSpec()
    pretrained_baseline = NearestCentroid

    def default_metric(self, outputs: Classes) -> str:
        """Micro F1 for several labels a text: subset accuracy hardly tells models apart there."""
        return "micro_f1" if outputs.multi_label else "accuracy"

    def outputs(self, train: Sequence[Example]) -> Classes:
        """The classes of the training examples, sorted. LabelProblem when there is nothing to tell apart."""
        multi_label = any(isinstance(example.target, tuple) for example in train)
        labels = sorted({label for example in train for label in _labels_of(example)})
        if len(labels) < (1 if multi_label else 2):
            only = labels[0] if labels else ""
            raise LabelProblem(
                "one_label",
                Text(
                    f"Every training row has the same label {only!r}; there is nothing to tell apart.",
                    f"所有训练数据的标签都是 {only!r}，没有可区分的类别。",
                ),
                Text("Check the label column, or add rows of another class.", "请检查标签列，或补充其他类别的数据。"),
                labels=labels,
            )
        return Classes(labels, multi_label)

    def outputs_from(self, values: dict[str, Any]) -> Classes:
        return decode.outputs_from(values)

    def load(
        self, source: str, outputs: Classes, *, revision: str = "", layers: int | None = None, **options: Any
    ) -> LoadedModel:
        """A pretrained encoder with a classification head (ModelProblem)."""
        from transformers import AutoModelForSequenceClassification

        from engine.models.load import load_encoder

        return load_encoder(
            source,
            AutoModelForSequenceClassification,
            labels=outputs.labels,
            problem_type="multi_label_classification" if outputs.multi_label else "single_label_classification",
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
    ) -> Encoded:
        return decode.encode(examples, tokenizer, max_length, windows)

    def attach_targets(self, encoded: Encoded, examples: Sequence[Example], outputs: Classes) -> list[Notice]:
        """Give every feature its target: a class index, or a 0/1 vector over the classes. There is always one."""
        index = {label: position for position, label in enumerate(outputs.labels)}
        for feature in encoded.features:
            target = examples[feature.example].target
            if outputs.multi_label:
                feature.target = [1.0 if label in target else 0.0 for label in outputs.labels]
            else:
                feature.target = index[target]
        return []

    def class_weights(self, examples: Sequence[Example], outputs: Classes) -> list[float]:
        """Inverse-frequency weights with mean 1 over the examples ("balanced": n / (classes * count))."""
        counts = Counter(label for example in examples for label in _labels_of(example))
        total = sum(counts.values())
        return [total / (len(outputs.labels) * counts[label]) for label in outputs.labels]

    def read(self, model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Logits [b, classes]."""
        return model(**batch).logits

    def loss(
        self,
        model: nn.Module,
        batch: dict[str, torch.Tensor],
        weights: torch.Tensor | None = None,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Cross-entropy over the classes, or a binary one for each class when there may be several."""
        from torch.nn import functional

        targets = batch["labels"]
        logits = self.read(model, {name: tensor for name, tensor in batch.items() if name != "labels"}).float()
        if targets.is_floating_point():
            softened = targets * (1 - smoothing) + 0.5 * smoothing
            return functional.binary_cross_entropy_with_logits(logits, softened, pos_weight=weights)
        return functional.cross_entropy(logits, targets, weight=weights, label_smoothing=smoothing)

    def predict(self, logits: Sequence[np.ndarray], encoded: Encoded, count: int, outputs: Classes) -> np.ndarray:
        return decode.predict(logits, encoded, count, outputs)

    def evaluation_loss(self, examples: Sequence[Example], predictions: np.ndarray, outputs: Classes) -> float:
        """The mean negative log-likelihood of the targets. A label that training never saw has none and is left out."""
        tiny = 1e-12
        targets = class_targets(examples, outputs.labels, outputs.multi_label)
        if outputs.multi_label:
            right = np.where(targets, predictions, 1 - predictions)
            return float(-np.log(np.maximum(right, tiny)).mean())
        known = np.flatnonzero(targets >= 0)
        if not len(known):
            return float("nan")
        return float(-np.log(np.maximum(predictions[known, targets[known]], tiny)).mean())

    def counts(self, examples: Sequence[Example], predictions: np.ndarray, outputs: Classes) -> Statistics:
        known = set(outputs.labels)
        unseen = np.array([len(set(_labels_of(example)) - known) for example in examples])
        return statistics(class_targets(examples, outputs.labels, outputs.multi_label), predictions, unseen)

    def metrics_from(self, outputs: Classes) -> MetricsFrom:
        return metrics_from_counts(len(outputs.labels), outputs.multi_label)

    def answers(
        self, examples: Sequence[Example], predictions: np.ndarray, encoded: Encoded, outputs: Classes
    ) -> list[dict[str, Any]]:
        return decode.answers(examples, predictions, encoded, outputs)

    def cells(self, answers: Sequence[dict[str, Any] | None], outputs: Classes) -> dict[str, list[Any]]:
        """`prediction`, `confidence`, and a `p:<label>` column for each label."""
        columns: dict[str, list[Any]] = {
            "prediction": [answer and label_text(answer) for answer in answers],
            "confidence": [answer and round(answer["confidence"], 6) for answer in answers],
        }
        for label in outputs.labels:
            columns[f"p:{label}"] = [answer and round(answer["probabilities"][label], 6) for answer in answers]
        return columns

    def report(self, data: EvaluationData[Classes, np.ndarray]) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
        from engine.tasks.classification.evidence import Evidence
        from engine.tasks.classification.report import build_report, predictions

        classes = data.outputs
        evidence = Evidence(
            task=self.spec.name,
            labels=classes.labels,
            multi_label=classes.multi_label,
            train=data.train,
            validation=data.validation,
            test=data.test,
            probabilities=data.predictions,
            pretrained_probabilities=data.pretrained_predictions,
            validation_probabilities=data.validation_predictions,
            settings=data.settings,
            facts=data.facts,
        )
        return build_report(evidence), predictions(evidence)


def label_text(answer: dict[str, Any]) -> str:
    """An answer in one line: its label, or all of them."""
    return "; ".join(answer["labels"]) if "labels" in answer else answer["label"]


def _labels_of(example: Example) -> tuple[str, ...]:
    return example.target if isinstance(example.target, tuple) else (example.target,)


TASK_MODEL = Classification
