"""The evaluation report of question answering.

Knows which parts the report has and what the verdict rests on. Does not know how a report is shown, nor how the model was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.core.text import Text
from engine.evaluation import calibration, insights, slices
from engine.evaluation.comparison import CONFIDENCE, Baseline, ModelComparison
from engine.evaluation.intervals import bootstrap
from engine.schema import Encoded
from engine.tasks.model import EncoderTask, EvaluationData
from engine.tasks.qa import baselines, report_parts
from engine.tasks.qa import insights as task_insights
from engine.tasks.qa.counts import metrics_from, statistics, threshold_scores
from engine.tasks.qa.decode import Answers
from engine.tasks.qa.groups import groups, seen_contexts
from engine.tasks.qa.match import is_chinese
from engine.tasks.qa.report_parts import Answered
from engine.tasks.qa.spans import Prediction

QUESTIONS = Text("questions", "问题")


def build_report(
    task: EncoderTask[Answers, list[Prediction]], data: EvaluationData
) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    """What the test rows show of the model, and one record for each of them."""
    if not data.test:
        raise ValueError("a report needs at least one test row")
    builder = _Builder(task, data)
    return builder.report(), report_parts.records(builder.answered)


class _Builder:
    """One report in the making: what its parts share."""

    def __init__(self, task: EncoderTask[Answers, list[Prediction]], data: EvaluationData):
        self.task, self.data = task, data
        self.seed = data.settings.seed
        self.samples = data.settings.bootstrap_samples
        self.metric = data.settings.metric or task.default_metric(data.outputs)
        self.rows = len(data.test)
        self.answered = self._answered(data.predictions)

    def report(self) -> dict[str, Any]:
        data, answered = self.data, self.answered
        self.comparison = ModelComparison(
            answered.counts, metrics_from, self.metric, self.samples, self.seed, self._baselines(), QUESTIONS
        )
        parts = self._slices()
        threshold = self._threshold()
        chinese = [is_chinese(example.inputs["context"], example.inputs["question"]) for example in data.test]
        common = self.comparison.report("qa", data.facts, self._insights(parts, threshold))
        return {
            **common,
            "scored_as": {"squad": chinese.count(False), "cmrc": chinese.count(True)},
            "outcomes": report_parts.outcome_counts(answered),
            "mistakes": report_parts.misses(answered),
            "mistake_count": int((answered.counts[:, 1] < 1).sum()),
            "threshold": threshold,
            "calibration": self._calibration(),
            "slices": parts,
        }

    def _answered(self, predictions: Any) -> Answered:
        test, outputs = self.data.test, self.data.outputs
        answers = self.task.answers(test, predictions, Encoded([]), outputs)
        return Answered(test, answers, self.task.counts(test, predictions, outputs))

    def _baselines(self) -> list[Baseline]:
        data = self.data
        if not data.settings.baselines:
            return []
        test = data.test
        guess = baselines.guess(data.train, test)
        tried = [
            Baseline(
                "sentence", *baselines.SENTENCE, statistics(test, guess.sentences), baselines.SENTENCE_PHRASE, True
            ),
            Baseline("window", *baselines.WINDOW, statistics(test, guess.windows), baselines.WINDOW_PHRASE, True),
        ]
        if data.outputs.unanswerable:
            silent = statistics(test, [""] * len(test))
            tried.insert(0, Baseline("silence", *baselines.SILENCE, silent, baselines.SILENCE_PHRASE, False))
        if data.pretrained_predictions is not None:
            counts = self.task.counts(test, data.pretrained_predictions, data.outputs)
            tried.append(Baseline("untuned", *baselines.UNTUNED, counts))
        return tried

    def _slices(self) -> list[dict[str, Any]]:
        return [
            entry
            for kind, members in groups(self.data.train, self.data.test).items()
            for entry in slices.slice_scores(
                kind, members, self.answered.counts, metrics_from, self.metric, self.samples, CONFIDENCE, self.seed
            )
        ]

    def _threshold(self) -> dict[str, Any] | None:
        data = self.data
        if not data.outputs.unanswerable or data.validation_predictions is None:
            return None
        return report_parts.threshold_section(
            data.outputs.threshold,
            threshold_scores(data.validation, data.validation_predictions),
            threshold_scores(data.test, data.predictions),
        )

    def _confidences(self) -> tuple[np.ndarray, np.ndarray]:
        """How sure each answer is, "no answer" too, and whether it is right to the letter: [n] each."""
        confidence = np.array([answer["confidence"] for answer in self.answered.answers])
        return confidence, self.answered.counts[:, 1]

    def _calibration(self) -> dict[str, Any]:
        confidence, right = self._confidences()
        bins = calibration.reliability(confidence, right)
        return {
            "ece": calibration.expected_calibration_error(bins),
            "brier": float(((confidence - right) ** 2).mean()),
            "bins": bins,
        }

    def _calibration_insight(self) -> insights.Insight | None:
        confidence, right = self._confidences()
        sums = np.stack([np.ones(len(confidence)), confidence, right], axis=1)
        gap = bootstrap(
            sums, lambda s: {"gap": (s[..., 1] - s[..., 2]) / s[..., 0]}, self.samples, CONFIDENCE, self.seed
        )["gap"]
        return insights.calibration(gap, float(confidence.mean()), float(right.mean()))

    def _insights(self, parts: list[dict[str, Any]], threshold: dict[str, Any] | None) -> list[insights.Insight | None]:
        comparison, data, rows = self.comparison, self.data, self.rows
        outcomes = self.answered.outcomes
        entries: list[insights.Insight | None] = [
            task_insights.exact_match(comparison.intervals["exact_match"], outcomes.count("partial") / rows, rows)
        ]
        if comparison.baselines:
            better = max(("sentence", "window"), key=comparison.value_of)
            entries.append(
                task_insights.overlap(
                    self.metric,
                    comparison.value_of("sentence"),
                    comparison.value_of("window"),
                    comparison.differences[better],
                    rows,
                    CONFIDENCE,
                )
            )
        if "untuned" in comparison.differences:
            entries.append(
                insights.untuned(
                    self.metric, comparison.value_of("untuned"), comparison.differences["untuned"], rows, CONFIDENCE
                )
            )
        has = [bool(example.target) for example in data.test]
        entries.append(
            task_insights.silence(
                [kind for kind, there in zip(outcomes, has, strict=True) if there],
                [kind for kind, there in zip(outcomes, has, strict=True) if not there],
            )
        )
        if threshold is not None:
            entries.append(task_insights.threshold(threshold, rows))
        entries.append(insights.small_test(rows, comparison.headline, self.metric))
        if self.metric == "f1":
            entries.append(task_insights.weak_questions(parts, comparison.headline))
        entries.append(self._seen_insight())
        entries.append(self._calibration_insight())
        entries.append(insights.overfitting(data.facts.get("history") or [], data.facts.get("best_epoch")))
        entries.append(insights.short_of_time(data.facts))
        entries.append(self._shift_insight())
        return entries

    def _seen_insight(self) -> insights.Insight | None:
        data = self.data
        seen = seen_contexts(data.train, data.test)
        fresh = None if seen.all() else float(self.answered.counts[~seen, 2].mean())
        return task_insights.seen_contexts(int(seen.sum()), self.rows, fresh)

    def _shift_insight(self) -> insights.Insight | None:
        data = self.data
        if not data.validation or data.validation_predictions is None:
            return None
        held = self.task.counts(data.validation, data.validation_predictions, data.outputs)
        return insights.shift(
            self.metric, self.comparison.intervals_of(held)[self.metric], self.comparison.headline, self.rows
        )
