"""Extractive question answering: the answer is a span of the text, or there is none.

Knows how a question and its context become token sequences, the loss, and how token scores become spans with exact character
offsets. It does not know files, splits, devices or reports. PyTorch is imported where it is used: the page reads this module
without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.config import ModelConfig
from engine.core.errors import LabelProblem
from engine.core.text import Text
from engine.evaluation.intervals import MetricsFrom, Statistics
from engine.schema import IGNORED, Encoded, Example, Feature, Notice
from engine.tasks.base import EvaluationData
from engine.tasks.qa import windows as reading
from engine.tasks.qa.counts import metrics_from, statistics
from engine.tasks.qa.notices import notices
from engine.tasks.qa.pretrained_baseline import NearestEnds
from engine.tasks.qa.spans import Prediction, Span, log_loss, read_windows
from engine.tasks.qa.spec import QuestionAnsweringSpec
from engine.tasks.qa.threshold import choose
from engine.tasks.qa.window_sampling import sample_training_windows

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from engine.inference.reader import Reader
    from engine.models.load import LoadedModel

HEAD_LABELS = ["start", "end"]
SHOWN = 10  # spans given with an answer
# An answer may be this much longer than the longest one seen in training: the rows are a sample.
ROOM_FOR_LONGER = 1.5


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


class QuestionAnswering:
    spec = QuestionAnsweringSpec()
    untuned = NearestEnds

    @property
    def reader(self) -> type[Reader]:
        from engine.inference.reader import Reader

        return Reader

    def default_metric(self, answers: Answers) -> str:
        """F1: a span that is a word too long is not worth as little as a wrong one."""
        return "f1"

    def outputs(self, train: Sequence[Example]) -> Answers:
        """LabelProblem when no row has an answer: there would be nothing to find."""
        lengths = [len(answer["text"]) for example in train for answer in example.target]
        if not lengths:
            raise LabelProblem(
                "no_answers",
                Text("No training row has an answer.", "训练数据中没有任何答案。"),
                Text(
                    "Choose the column of the answers; they must stand in the context word for word.",
                    "请选择答案所在的列；答案必须原样出现在原文中。",
                ),
            )
        return Answers(
            unanswerable=any(not example.target for example in train),
            longest_answer=max(16, math.ceil(ROOM_FOR_LONGER * max(lengths))),
        )

    def outputs_from(self, values: dict[str, Any]) -> Answers:
        return Answers(**values)

    def load(self, source: str, answers: Answers, model: ModelConfig, **options: Any) -> LoadedModel:
        """A pretrained encoder with a head that scores every token as first and as last (ModelProblem)."""
        from transformers import AutoModelForQuestionAnswering

        from engine.models.load import load_encoder

        return load_encoder(
            source,
            AutoModelForQuestionAnswering,
            labels=HEAD_LABELS,
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
        return reading.encode(examples, tokenizer, max_length, windows)

    def attach_targets(self, encoded: Encoded, examples: Sequence[Example], answers: Answers) -> list[Notice]:
        """What each token is, as `windows.token_targets` says; windows that teach little are left out.

        Tells of answers within a token, and of questions cut.
        """
        for index, members in groupby(encoded.features, key=lambda feature: feature.example):
            features = list(members)
            for feature, target in zip(features, reading.token_targets(features, examples[index].target), strict=True):
                feature.token_targets = target.tolist()
        said = notices(encoded, examples)
        encoded.features = sample_training_windows(encoded.features)
        return said

    def class_weights(self, examples: Sequence[Example], answers: Answers) -> list[float]:
        """A weight for windows with and without an answer, by the rows."""
        empty = sum(not example.target for example in examples)
        return [len(examples) / (2 * max(1, count)) for count in (len(examples) - empty, empty)]

    def read(self, model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Start and end logits of every token, [b, t, 2]."""
        import torch

        said = model(**batch)
        return torch.stack([said.start_logits, said.end_logits], dim=-1)

    def loss(
        self,
        model: nn.Module,
        batch: dict[str, torch.Tensor],
        weights: torch.Tensor | None = None,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Cross-entropy of the first and the last token, mean of the two, over the tokens that can be one.

        With several right places their probabilities add up (Clark & Gardner 2018).
        """
        import torch

        targets = batch["labels"]  # [b, t]
        logits = self.read(model, {name: tensor for name, tensor in batch.items() if name != "labels"}).float()
        allowed = targets != IGNORED
        bits = torch.where(allowed, targets, torch.zeros_like(targets))
        total = logits.new_zeros(len(logits))
        for column, bit in ((0, reading.START), (1, reading.END)):
            shares = logits[..., column].masked_fill(~allowed, -torch.inf).log_softmax(dim=-1)
            right = (bits & bit) > 0
            found = -shares.masked_fill(~right, -torch.inf).logsumexp(dim=-1)
            if smoothing:
                spread = -shares.masked_fill(~allowed, 0.0).sum(dim=-1) / allowed.sum(dim=-1)
                found = (1 - smoothing) * found + smoothing * spread
            total = total + found / 2
        if weights is None:
            return total.mean()
        each = weights[(bits[:, 0] > 0).long()]
        return (total * each).sum() / each.sum()

    def predict(self, logits: list[np.ndarray], encoded: Encoded, count: int, answers: Answers) -> list[Prediction]:
        """Ranked spans and the score of no answer for each example, whatever the threshold."""
        windows: list[list[tuple[Feature, np.ndarray]]] = [[] for _ in range(count)]
        for feature, said in zip(encoded.features, logits, strict=True):
            windows[feature.example].append((feature, said))
        return [read_windows(own, answers.longest_answer) for own in windows]

    def settle(self, examples: Sequence[Example], predictions: Sequence[Prediction], answers: Answers) -> Answers:
        """With the threshold that serves these rows best, in F1."""
        if not answers.unanswerable:
            return answers
        differences, answered, silent = self.choices(examples, predictions)
        return replace(answers, threshold=choose(differences, answered, silent).value)

    def choices(
        self, examples: Sequence[Example], predictions: Sequence[Prediction]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each row the score difference, and the F1 with its best span and with "no answer": what a threshold rests on."""
        best = [_text(example, prediction.spans[:1]) for example, prediction in zip(examples, predictions, strict=True)]
        # Infinite where there is nothing to give: any threshold keeps silent about it.
        differences = np.array([min(prediction.difference, 1e6) for prediction in predictions])
        return (
            differences,
            statistics(examples, best)[:, 2],
            np.array([float(not example.target) for example in examples]),
        )

    def evaluation_loss(
        self, examples: Sequence[Example], predictions: Sequence[Prediction], answers: Answers
    ) -> float:
        losses = [
            log_loss(logits, target)
            for example, prediction in zip(examples, predictions, strict=True)
            for (_, logits), target in zip(
                prediction.windows,
                reading.token_targets([feature for feature, _ in prediction.windows], example.target),
                strict=True,
            )
        ]
        return float(np.mean(losses))

    def counts(self, examples: Sequence[Example], predictions: Sequence[Prediction], answers: Answers) -> Statistics:
        return statistics(examples, self.texts(examples, predictions, answers))

    def texts(self, examples: Sequence[Example], predictions: Sequence[Prediction], answers: Answers) -> list[str]:
        """The answers given, empty for "no answer"."""
        return [
            _text(example, () if is_silent(prediction, answers) else prediction.spans[:1])
            for example, prediction in zip(examples, predictions, strict=True)
        ]

    def metrics_from(self, answers: Answers) -> MetricsFrom:
        return metrics_from

    def score(
        self, examples: Sequence[Example], predictions: Sequence[Prediction], answers: Answers
    ) -> dict[str, float]:
        values = metrics_from(self.counts(examples, predictions, answers).sum(axis=0))
        return {name: float(values[name]) for name in self.spec.metrics}

    def answers(
        self, examples: Sequence[Example], predictions: Sequence[Prediction], encoded: Encoded, answers: Answers
    ) -> list[dict[str, Any]]:
        """`answer` with `start` and `end` in characters of the context, or an empty `answer` and no place for "no answer".

        `confidence` is that of what is said, `no_answer` the share of there being none, `best` the best span also where none is
        given, `nbest` the ranked spans, `alternatives` the best ones elsewhere in the text; `windows` counts the parts in which
        the context was read, `question_cut` tells that the question was too long to be read whole.
        """
        found = []
        for index, (example, prediction) in enumerate(zip(examples, predictions, strict=True)):
            silent = is_silent(prediction, answers)
            nbest = _shown(example, prediction, prediction.spans[:SHOWN], answers)
            apart = _shown(example, prediction, prediction.apart, answers)
            _, nothing = prediction.probabilities((), answers.unanswerable)
            best = nbest[0] if nbest else {"text": "", "start": None, "end": None, "confidence": 0.0}
            found.append(
                {
                    "answer": "" if silent else best["text"],
                    "start": None if silent else best["start"],
                    "end": None if silent else best["end"],
                    "confidence": nothing if silent else best["confidence"],
                    "no_answer": nothing,
                    "best": best,
                    "nbest": nbest,
                    "alternatives": apart[1:],
                    "windows": len(prediction.windows),
                    "question_cut": index in encoded.shortened,
                }
            )
        return found

    def cells(self, answers: Sequence[dict[str, Any] | None], outputs: Answers) -> dict[str, list[Any]]:
        """`answer`, its `answer_start`, `confidence`, and `no_answer` where that is possible."""
        columns: dict[str, list[Any]] = {
            "answer": [found and found["answer"] for found in answers],
            "answer_start": [found and found["start"] for found in answers],
            "confidence": [found and round(found["confidence"], 6) for found in answers],
        }
        if outputs.unanswerable:
            columns["no_answer"] = [found and round(found["no_answer"], 6) for found in answers]
        return columns

    def report(self, judgement: EvaluationData) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
        """The report, and one record for each test row."""
        from engine.tasks.qa.report import build_report

        return build_report(self, judgement)


def is_silent(prediction: Prediction, answers: Answers) -> bool:
    """Whether "no answer" is what is said."""
    return not prediction.spans or (answers.unanswerable and prediction.difference > answers.threshold)


def _text(example: Example, spans: Sequence[Span]) -> str:
    return example.inputs["context"][spans[0].start : spans[0].end] if spans else ""


def _shown(example: Example, prediction: Prediction, spans: Sequence[Span], answers: Answers) -> list[dict[str, Any]]:
    shares, _ = prediction.probabilities(spans, answers.unanswerable)
    return [
        {"text": _text(example, [span]), "start": span.start, "end": span.end, "confidence": share, "score": span.score}
        for span, share in zip(spans, shares, strict=True)
    ]
