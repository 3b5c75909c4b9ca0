"""The evaluation report of a classifier.

Knows which parts the report has and what the verdict rests on. Does not know how a report is shown, nor how the model was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from engine.core.text import Text
from engine.evaluation import baselines, insights, slices, verdict
from engine.evaluation.comparison import CONFIDENCE, Baseline, ModelComparison
from engine.evaluation.intervals import MetricsFrom, bootstrap
from engine.evaluation.more_data import LearningCurve, conclusion, learning_curve
from engine.tasks.classification import report_parts
from engine.tasks.classification.counts import metrics_from_counts, ranking_metrics, statistics
from engine.tasks.classification.evidence import Evidence
from engine.tasks.classification.report_parts import Scored

__all__ = ["build_report", "metrics_from_counts", "predictions", "statistics"]


def build_report(evidence: Evidence) -> dict[str, Any]:
    """What the test rows show of the model: the JSON of report.json (see report.py for how it is shown)."""
    if not evidence.test:
        raise ValueError("a report needs at least one test row")
    return _Builder(evidence).report()


def predictions(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """One entry a test row, for predictions.jsonl."""
    return report_parts.predictions(
        Scored.of(evidence.test, evidence.labels, evidence.multi_label, evidence.probabilities)
    )


class _Builder:
    """One report in the making: what its parts share."""

    def __init__(self, evidence: Evidence):
        self.evidence = evidence
        self.seed = evidence.settings.seed
        self.samples = evidence.settings.bootstrap_samples
        self.metric = evidence.settings.metric or ("micro_f1" if evidence.multi_label else "accuracy")
        self.metrics_from: MetricsFrom = metrics_from_counts(len(evidence.labels), evidence.multi_label)
        self.tested = self._scored(evidence.probabilities)
        self.rows = len(evidence.test)

    def report(self) -> dict[str, Any]:
        evidence, tested = self.evidence, self.tested
        keywords, curve = self._keywords() if evidence.settings.baselines else (None, None)
        self.comparison = ModelComparison(
            tested.counts, self.metrics_from, self.metric, self.samples, self.seed, self._baselines(keywords)
        )
        classes = report_parts.class_rows(tested, evidence.train, self.samples, CONFIDENCE, self.seed)
        mistakes, suspects = report_parts.mistakes(tested, keywords)
        learned = (evidence.facts.get("train_metrics") or {}).get(self.metric)
        value = self.comparison.headline.value
        more = conclusion(curve, self.metric, value, learned, CONFIDENCE, self.rows) if curve else None
        seen = slices.seen_in_training(evidence.train, evidence.test)
        common = self.comparison.report(evidence.task, evidence.facts, self._insights(classes, suspects, seen, more))
        return {
            **common,
            "multi_label": evidence.multi_label,
            "test": {**common["test"], **ranking_metrics(tested.targets, tested.probabilities)},
            "classes": classes,
            "unseen_labels": report_parts.unseen_label_counts(tested),
            "confusion": report_parts.confusion(tested),
            "calibration": report_parts.calibration_section(tested),
            "mistakes": mistakes,
            "mistake_count": int((~tested.correct).sum()),
            "leakage": {"rows": int(seen.sum()), "share": float(seen.mean())},
            "slices": self._slices(seen),
            "more_data": _more_data(curve, more),
        }

    def _scored(self, probabilities: np.ndarray) -> Scored:
        evidence = self.evidence
        return Scored.of(
            evidence.test, evidence.labels, evidence.multi_label, np.asarray(probabilities, dtype=np.float64)
        )

    def _keywords(self) -> tuple[np.ndarray, LearningCurve | None]:
        """The keyword baseline's probabilities on the test rows, and its learning curve."""
        evidence = self.evidence
        train = evidence.train
        if len(train) > baselines.MAX_TRAIN_ROWS:
            chosen = np.random.default_rng(self.seed).choice(len(train), baselines.MAX_TRAIN_ROWS, replace=False)
            train = [train[index] for index in np.sort(chosen)]
        features = baselines.KeywordFeatures(train)
        known, unknown = features.of(train), features.of(evidence.test)
        targets = self._train_targets(train)

        def learn(rows: np.ndarray) -> np.ndarray:
            return baselines.keyword_probabilities(known[rows], targets[rows], unknown, len(evidence.labels), self.seed)

        # One fit takes one core: all rows on one, the parts of the curve, which together take as long, on another.
        with baselines.without_warnings(), ThreadPoolExecutor(1) as beside:
            whole = beside.submit(learn, np.arange(len(train)))
            curve = learning_curve(
                lambda rows: self._scored(learn(rows)).counts,
                len(train),
                self.metrics_from,
                self.metric,
                self.samples,
                CONFIDENCE,
                self.seed,
                whole=lambda: self._scored(whole.result()).counts,
            )
        return whole.result(), curve

    def _train_targets(self, train: list[Any]) -> np.ndarray:
        gold, _ = report_parts.gold_of(train, self.evidence.labels)
        return gold if self.evidence.multi_label else gold.argmax(axis=1)

    def _baselines(self, keywords: np.ndarray | None) -> list[Baseline]:
        evidence = self.evidence
        majority = baselines.majority_probabilities(
            self._train_targets(evidence.train), self.rows, len(evidence.labels)
        )
        untuned = evidence.pretrained_probabilities if evidence.settings.baselines else None
        tried = (
            ("majority", baselines.MAJORITY, majority, verdict.MAJORITY_PHRASE, False),
            ("tfidf_logreg", baselines.KEYWORDS, keywords, verdict.KEYWORDS_PHRASE, True),
            ("untuned", baselines.UNTUNED, untuned, None, True),
        )
        return [
            Baseline(name, label, about, self._scored(probabilities).counts, phrase, reads)
            for name, (label, about), probabilities, phrase, reads in tried
            if probabilities is not None
        ]

    def _slices(self, seen: np.ndarray) -> list[dict[str, Any]]:
        test = self.evidence.test
        groups = {
            "length": slices.length_groups(test),
            "script": slices.script_groups(test),
            "leakage": slices.leakage_groups(seen),
        }
        return [
            entry
            for kind, members in groups.items()
            for entry in slices.slice_scores(
                kind, members, self.tested.counts, self.metrics_from, self.metric, self.samples, CONFIDENCE, self.seed
            )
        ]

    def _insights(
        self, classes: list[dict[str, Any]], suspects: int, seen: np.ndarray, more: Text | None
    ) -> list[insights.Insight | None]:
        evidence, metric, rows, facts = self.evidence, self.metric, self.rows, self.evidence.facts
        comparison = self.comparison
        entries: list[insights.Insight | None] = []
        for name, make in (("tfidf_logreg", insights.keyword_baseline), ("untuned", insights.untuned)):
            if name in comparison.differences:
                entries.append(make(metric, comparison.value_of(name), comparison.differences[name], rows, CONFIDENCE))
        entries.append(insights.small_test(rows, comparison.headline, metric))
        fresh = None if seen.all() else float(self.metrics_from(self.tested.counts[~seen].sum(axis=0))[metric])
        entries.append(insights.leakage(int(seen.sum()), rows, metric, fresh))
        entries.append(
            insights.unseen_labels(
                [entry["label"] for entry in report_parts.unseen_label_counts(self.tested)],
                int((self.tested.unseen > 0).sum()),
            )
        )
        largest = int(np.argmax(self.tested.gold.sum(axis=0)))
        if not evidence.multi_label:
            share = float(self.tested.gold[:, largest].mean())
            entries.append(
                insights.imbalance(evidence.labels[largest], share, comparison.intervals["macro_f1"].value, rows)
            )
        overall = comparison.intervals["macro_f1"].value
        weak = [
            row
            for row in classes
            # Among many classes a few intervals miss by chance; a class must also fall short by an amount that matters.
            if row["f1_high"] is not None and row["f1_high"] < overall and row["f1"] < overall - insights.SHORTFALL
        ]
        entries.append(insights.weak_classes(sorted(weak, key=lambda row: row["f1"]), overall, rows))
        entries.append(insights.untested_classes([row["label"] for row in classes if not row["support"]]))
        entries.append(insights.truncation(facts.get("truncated_share") or 0.0, facts.get("max_length")))
        entries.append(self._calibration_insight())
        entries.append(insights.overfitting(facts.get("history") or [], facts.get("best_epoch")))
        entries.append(insights.short_of_time(facts))
        entries.append(self._shift_insight())
        entries.append(insights.label_noise(suspects, int((~self.tested.correct).sum())))
        if more is not None:
            entries.append(insights.more_data(more))
        return entries

    def _calibration_insight(self) -> insights.Insight | None:
        confidence, right = report_parts.confidences(self.tested)
        sums = np.stack([np.ones(len(confidence)), confidence, right], axis=1)
        if self.evidence.multi_label:  # decisions on one text are not independent: resample texts, not decisions
            sums = sums.reshape(self.rows, -1, 3).sum(axis=1)
        gap = bootstrap(
            sums, lambda s: {"gap": (s[..., 1] - s[..., 2]) / s[..., 0]}, self.samples, CONFIDENCE, self.seed
        )["gap"]
        return insights.calibration(gap, float(confidence.mean()), float(right.mean()))

    def _shift_insight(self) -> insights.Insight | None:
        evidence = self.evidence
        if evidence.validation_probabilities is None or not evidence.validation:
            return None
        held = Scored.of(
            evidence.validation, evidence.labels, evidence.multi_label, np.asarray(evidence.validation_probabilities)
        )
        return insights.shift(
            self.metric, self.comparison.intervals_of(held.counts)[self.metric], self.comparison.headline, self.rows
        )


def _more_data(curve: LearningCurve | None, more: Text | None) -> dict[str, Any] | None:
    if curve is None or more is None:
        return None
    doubling = curve.doubling
    return {
        "sizes": curve.sizes,
        "scores": curve.scores,
        "gain": doubling.value,
        "low": doubling.low,
        "high": doubling.high,
        "says": more.to_dict(),
    }
