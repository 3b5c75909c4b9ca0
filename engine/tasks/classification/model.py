"""Text classification: one label a text, several labels a text, or one label for a pair of texts.

Knows how texts become token sequences, how labels become targets, the loss, and how logits become probabilities. It does
not know files, splits, devices or reports. PyTorch is imported where it is used: the page reads this module without it.
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
from engine.evaluation.intervals import MetricsFrom
from engine.schema import Encoded, Example, Feature, Notice
from engine.tasks.base import EvaluationData
from engine.tasks.classification.counts import metrics_from_counts, statistics
from engine.tasks.classification.spec import ClassificationSpec
from engine.tasks.pretrained_baseline import NearestCentroid

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from engine.inference.reader import Reader
    from engine.models.load import LoadedModel


@dataclass(frozen=True, slots=True)
class Classes:
    """The labels in a fixed order, and whether a text may have several of them."""

    labels: list[str]
    multi_label: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"labels": self.labels, "multi_label": self.multi_label}


class Classification:
    spec = ClassificationSpec()
    untuned = NearestCentroid

    @property
    def reader(self) -> type[Reader]:
        from engine.inference.reader import Reader

        return Reader

    def default_metric(self, classes: Classes) -> str:
        """What chooses the best checkpoint. Subset accuracy says little about several labels a text."""
        return "micro_f1" if classes.multi_label else "accuracy"

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
        return Classes(**values)

    def load(self, source: str, classes: Classes, model: ModelConfig, **options: Any) -> LoadedModel:
        """A pretrained encoder with a classification head (ModelProblem)."""
        from transformers import AutoModelForSequenceClassification

        from engine.models.load import load_encoder

        return load_encoder(
            source,
            AutoModelForSequenceClassification,
            labels=classes.labels,
            problem_type="multi_label_classification" if classes.multi_label else "single_label_classification",
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
    ) -> Encoded:
        """Token sequences for examples.

        `max_length` None cuts nothing. A longer text is cut for training; with `windows` it becomes several overlapping
        sequences (stride a quarter of the length) whose probabilities are averaged, so that all of it is read.
        """
        texts = [example.inputs["text"] for example in examples]
        pairs = [example.inputs.get("text_pair") for example in examples]
        paired = any(pair is not None for pair in pairs)
        whole = tokenizer(texts, [pair or "" for pair in pairs] if paired else None, verbose=False)
        types = whole.get("token_type_ids")
        features: list[Feature] = []
        too_long: list[int] = []
        for index, ids in enumerate(whole["input_ids"]):
            if max_length is not None and len(ids) > max_length:
                too_long.append(index)
            else:
                features.append(Feature(index, ids, types[index] if types and paired else None))
        for index in too_long:
            cut = tokenizer(
                texts[index],
                (pairs[index] or "") if paired else None,
                truncation=True,
                max_length=max_length,
                stride=max_length // 4 if windows else 0,
                return_overflowing_tokens=windows,
            )
            sequences = cut["input_ids"] if windows else [cut["input_ids"]]
            for number, ids in enumerate(sequences):
                kinds = cut.get("token_type_ids") if paired else None
                features.append(Feature(index, ids, (kinds[number] if windows else kinds) if kinds else None))
        features.sort(key=lambda feature: feature.example)
        return Encoded(features, truncated=len(too_long), longest=max(map(len, whole["input_ids"]), default=0))

    def attach_targets(self, encoded: Encoded, examples: Sequence[Example], classes: Classes) -> list[Notice]:
        """Give every feature its target: a class index, or a 0/1 vector over the classes. There is always one."""
        index = {label: position for position, label in enumerate(classes.labels)}
        for feature in encoded.features:
            target = examples[feature.example].target
            if classes.multi_label:
                feature.target = [1.0 if label in target else 0.0 for label in classes.labels]
            else:
                feature.target = index[target]
        return []

    def targets(self, examples: Sequence[Example], classes: Classes) -> np.ndarray:
        """Class indices [n], or a boolean matrix [n, classes]. A label that training never saw is -1 (or no column)."""
        index = {label: position for position, label in enumerate(classes.labels)}
        if not classes.multi_label:
            return np.array([index.get(example.target, -1) for example in examples], dtype=np.int64)
        matrix = np.zeros((len(examples), len(classes.labels)), dtype=bool)
        for row, example in enumerate(examples):
            for label in example.target:
                if label in index:
                    matrix[row, index[label]] = True
        return matrix

    def class_weights(self, examples: Sequence[Example], classes: Classes) -> list[float]:
        """Inverse-frequency weights with mean 1 over the examples ("balanced": n / (classes * count))."""
        counts = Counter(label for example in examples for label in _labels_of(example))
        total = sum(counts.values())
        return [total / (len(classes.labels) * counts[label]) for label in classes.labels]

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

    def predict(self, logits: list[np.ndarray], encoded: Encoded, count: int, classes: Classes) -> np.ndarray:
        """Logits [classes] of each feature to probabilities [count, classes]; the windows of one text are averaged."""
        stacked = np.stack(logits)
        if classes.multi_label:
            each = 1.0 / (1.0 + np.exp(-stacked.astype(np.float64)))
        else:
            shifted = np.exp(stacked - stacked.max(axis=1, keepdims=True), dtype=np.float64)
            each = shifted / shifted.sum(axis=1, keepdims=True)
        owners = np.array([feature.example for feature in encoded.features], dtype=np.int64)
        total = np.zeros((count, each.shape[1]))
        np.add.at(total, owners, each)
        return total / np.bincount(owners, minlength=count)[:, None]

    def settle(self, examples: Sequence[Example], probabilities: np.ndarray, classes: Classes) -> Classes:
        return classes

    def evaluation_loss(self, examples: Sequence[Example], probabilities: np.ndarray, classes: Classes) -> float:
        """The mean negative log-likelihood of the targets. A label that training never saw has none and is left out."""
        tiny = 1e-12
        targets = self.targets(examples, classes)
        if classes.multi_label:
            right = np.where(targets, probabilities, 1 - probabilities)
            return float(-np.log(np.maximum(right, tiny)).mean())
        known = np.flatnonzero(targets >= 0)
        if not len(known):
            return float("nan")
        return float(-np.log(np.maximum(probabilities[known, targets[known]], tiny)).mean())

    def counts(self, examples: Sequence[Example], probabilities: np.ndarray, classes: Classes) -> np.ndarray:
        """Additive statistics [examples, k], from which every metric and its interval is computed."""
        known = set(classes.labels)
        unseen = np.array([len(set(_labels_of(example)) - known) for example in examples])
        return statistics(self.targets(examples, classes), probabilities, unseen)

    def metrics_from(self, classes: Classes) -> MetricsFrom:
        return metrics_from_counts(len(classes.labels), classes.multi_label)

    def score(self, examples: Sequence[Example], probabilities: np.ndarray, classes: Classes) -> dict[str, float]:
        """The task's metrics on examples, each between 0 and 1."""
        values = self.metrics_from(classes)(self.counts(examples, probabilities, classes).sum(axis=0))
        return {name: float(values[name]) for name in self.spec.metrics}

    def answers(
        self, examples: Sequence[Example], probabilities: np.ndarray, encoded: Encoded, classes: Classes
    ) -> list[dict[str, Any]]:
        """`label` (and `labels`), `confidence`, `probabilities` by label, highest first, and `windows` for each row."""
        windows = np.bincount([feature.example for feature in encoded.features], minlength=len(probabilities))
        answers = []
        for row, count in zip(probabilities, windows, strict=True):
            order = np.argsort(-row, kind="stable")
            answer: dict[str, Any] = {
                "label": classes.labels[order[0]],
                "confidence": float(row[order[0]]),
                "probabilities": {classes.labels[i]: float(row[i]) for i in order},
                "windows": int(count),
            }
            if classes.multi_label:
                answer["labels"] = [classes.labels[i] for i in order if row[i] >= 0.5]
            answers.append(answer)
        return answers

    def cells(self, answers: Sequence[dict[str, Any] | None], classes: Classes) -> dict[str, list[Any]]:
        """`prediction`, `confidence`, and a `p:<label>` column for each label."""
        columns: dict[str, list[Any]] = {
            "prediction": [answer and said(answer) for answer in answers],
            "confidence": [answer and round(answer["confidence"], 6) for answer in answers],
        }
        for label in classes.labels:
            columns[f"p:{label}"] = [answer and round(answer["probabilities"][label], 6) for answer in answers]
        return columns

    def report(self, judgement: EvaluationData) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
        """The report, and one record for each test row."""
        from engine.tasks.classification.evidence import Evidence
        from engine.tasks.classification.report import build_report, predictions

        classes = judgement.outputs
        evidence = Evidence(
            task=self.spec.name,
            labels=classes.labels,
            multi_label=classes.multi_label,
            train=judgement.train,
            validation=judgement.validation,
            test=judgement.test,
            probabilities=judgement.predictions,
            untuned_probabilities=judgement.untuned,
            validation_probabilities=judgement.validation_predictions,
            config=judgement.config,
            facts=judgement.facts,
        )
        return build_report(evidence), predictions(evidence)


def said(answer: dict[str, Any]) -> str:
    """An answer in one line: its label, or all of them."""
    return "; ".join(answer["labels"]) if "labels" in answer else answer["label"]


def _labels_of(example: Example) -> tuple[str, ...]:
    return example.target if isinstance(example.target, tuple) else (example.target,)
