"""Extractive question answering: the answer is a span of the text, or there is none.

Knows the targets of windows, the loss, the threshold of "no answer" and how answers are scored; encoding and decoding are in
decode.py. It does not know files, splits, devices or reports. PyTorch is imported where it is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.errors import LabelProblem
from engine.core.text import Text
from engine.evaluation.intervals import MetricsFrom, Statistics
from engine.schema import IGNORED, Encoded, Example, Notice
from engine.tasks.model import EncoderTask, EvaluationData
from engine.tasks.qa import decode
from engine.tasks.qa.counts import metrics_from, statistics, threshold_scores
from engine.tasks.qa.decode import Answers, is_empty, span_text
from engine.tasks.qa.notices import notices
from engine.tasks.qa.pretrained_baseline import NearestEnds
from engine.tasks.qa.spans import Prediction, log_loss
from engine.tasks.qa.spec import QuestionAnsweringSpec
from engine.tasks.qa.threshold import choose
from engine.tasks.qa.window_sampling import sample_training_windows
from engine.tasks.qa.windows import END, START, token_targets

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from engine.models.load import LoadedModel

HEAD_LABELS = ["start", "end"]
# An answer may be this much longer than the longest one seen in training: the rows are a sample.
ANSWER_LENGTH_MARGIN = 1.5


class QuestionAnswering(EncoderTask[Answers, list[Prediction]]):
    """Predictions are one `Prediction` an example."""

    spec = QuestionAnsweringSpec()
    pretrained_baseline = NearestEnds

    def default_metric(self, outputs: Answers) -> str:
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
            longest_answer=max(16, math.ceil(ANSWER_LENGTH_MARGIN * max(lengths))),
        )

    def outputs_from(self, values: dict[str, Any]) -> Answers:
        return decode.outputs_from(values)

    def load(
        self, source: str, outputs: Answers, *, revision: str = "", layers: int | None = None, **options: Any
    ) -> LoadedModel:
        """A pretrained encoder with a head that scores every token as first and as last (ModelProblem)."""
        from transformers import AutoModelForQuestionAnswering

        from engine.models.load import load_encoder

        return load_encoder(
            source,
            AutoModelForQuestionAnswering,
            labels=HEAD_LABELS,
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

    def attach_targets(self, encoded: Encoded, examples: Sequence[Example], outputs: Answers) -> list[Notice]:
        """Give every token its target (`windows.token_targets`) and keep a sample of the windows without an answer.

        Notices tell of answers that begin or end within a token, and of questions that were cut.
        """
        for index, members in groupby(encoded.features, key=lambda feature: feature.example):
            features = list(members)
            for feature, target in zip(features, token_targets(features, examples[index].target), strict=True):
                feature.token_targets = target.tolist()
        problems = notices(encoded, examples)
        encoded.features = sample_training_windows(encoded.features)
        return problems

    def class_weights(self, examples: Sequence[Example], outputs: Answers) -> list[float]:
        """A weight for windows with and without an answer, by the rows."""
        empty = sum(not example.target for example in examples)
        return [len(examples) / (2 * max(1, count)) for count in (len(examples) - empty, empty)]

    def read(self, model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Start and end logits of every token, [b, t, 2]."""
        import torch

        result = model(**batch)
        return torch.stack([result.start_logits, result.end_logits], dim=-1)

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
        for column, bit in ((0, START), (1, END)):
            log_probs = logits[..., column].masked_fill(~allowed, -torch.inf).log_softmax(dim=-1)
            right = (bits & bit) > 0
            nll = -log_probs.masked_fill(~right, -torch.inf).logsumexp(dim=-1)
            if smoothing:
                uniform_nll = -log_probs.masked_fill(~allowed, 0.0).sum(dim=-1) / allowed.sum(dim=-1)
                nll = (1 - smoothing) * nll + smoothing * uniform_nll
            total = total + nll / 2
        if weights is None:
            return total.mean()
        each = weights[(bits[:, 0] > 0).long()]
        return (total * each).sum() / each.sum()

    def predict(self, logits: Sequence[np.ndarray], encoded: Encoded, count: int, outputs: Answers) -> list[Prediction]:
        return decode.predict(logits, encoded, count, outputs)

    def fit_postprocessing(
        self, examples: Sequence[Example], predictions: list[Prediction], outputs: Answers
    ) -> Answers:
        """The outputs with the threshold of "no answer" that has the best F1 on these rows."""
        if not outputs.unanswerable:
            return outputs
        differences, answered, empty = threshold_scores(examples, predictions)
        return replace(outputs, threshold=choose(differences, answered, empty).value)

    def evaluation_loss(self, examples: Sequence[Example], predictions: list[Prediction], outputs: Answers) -> float:
        losses = [
            log_loss(logits, target)
            for example, prediction in zip(examples, predictions, strict=True)
            for (_, logits), target in zip(
                prediction.windows,
                token_targets([feature for feature, _ in prediction.windows], example.target),
                strict=True,
            )
        ]
        return float(np.mean(losses))

    def counts(self, examples: Sequence[Example], predictions: list[Prediction], outputs: Answers) -> Statistics:
        return statistics(examples, self.texts(examples, predictions, outputs))

    def texts(self, examples: Sequence[Example], predictions: list[Prediction], outputs: Answers) -> list[str]:
        """The answers given, empty for "no answer"."""
        return [
            span_text(example, () if is_empty(prediction, outputs) else prediction.spans[:1])
            for example, prediction in zip(examples, predictions, strict=True)
        ]

    def metrics_from(self, outputs: Answers) -> MetricsFrom:
        return metrics_from

    def answers(
        self, examples: Sequence[Example], predictions: list[Prediction], encoded: Encoded, outputs: Answers
    ) -> list[dict[str, Any]]:
        return decode.answers(examples, predictions, encoded, outputs)

    def cells(self, answers: Sequence[dict[str, Any] | None], outputs: Answers) -> dict[str, list[Any]]:
        """`answer`, its `answer_start`, `confidence`, and `no_answer` where that is possible."""
        columns: dict[str, list[Any]] = {
            "answer": [answer and answer["answer"] for answer in answers],
            "answer_start": [answer and answer["start"] for answer in answers],
            "confidence": [answer and round(answer["confidence"], 6) for answer in answers],
        }
        if outputs.unanswerable:
            columns["no_answer"] = [answer and round(answer["no_answer"], 6) for answer in answers]
        return columns

    def report(
        self, data: EvaluationData[Answers, list[Prediction]]
    ) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
        from engine.tasks.qa.report import build_report

        return build_report(self, data)


TASK_MODEL = QuestionAnswering
