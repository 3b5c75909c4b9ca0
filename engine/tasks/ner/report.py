"""The evaluation report of a tagger.

Knows which parts the report has and what the verdict rests on. Does not know how a report is shown, nor how the model was made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from engine.evaluation import calibration, insights, slices
from engine.evaluation.comparison import CONFIDENCE, Baseline, ModelComparison
from engine.evaluation.intervals import Interval, MetricsFrom, Statistics, bootstrap
from engine.schema import Example
from engine.tasks.model import EvaluationData
from engine.tasks.ner import counts, errors, partial, report_parts, seen
from engine.tasks.ner import insights as task_insights
from engine.tasks.ner.counts import Spans
from engine.tasks.ner.lexicon import Lexicon
from engine.tasks.ner.report_words import ERROR_NAMES, LEXICON, LEXICON_PHRASE, TEXTS, UNTUNED


def build_report(data: EvaluationData) -> dict[str, Any]:
    """What the test rows show of the model: the JSON of report.json (see report.py for how it is shown)."""
    if not data.test:
        raise ValueError("a report needs at least one test row")
    return _Builder(data).report()


def records(data: EvaluationData) -> Iterator[dict[str, Any]]:
    """One entry a test row, for predictions.jsonl."""
    for example, tagged in zip(data.test, data.predictions, strict=True):
        yield report_parts.record(example, tagged.spans)


class _Builder:
    """One report in the making: what its parts share."""

    def __init__(self, data: EvaluationData):
        self.data = data
        self.settings = data.settings
        self.seed, self.samples = self.settings.seed, self.settings.bootstrap_samples
        self.metric = self.settings.metric or "f1"
        self.gold: list[Spans] = [example.target for example in data.test]
        self.given: list[Spans] = [tagged.spans for tagged in data.predictions]
        known = data.outputs.labels
        self.unknown = Counter(
            span["label"] for spans in self.gold for span in spans if span["label"] not in set(known)
        )
        self.types = [*known, *sorted(self.unknown)]
        self.metrics_from: MetricsFrom = counts.metrics_from_counts(len(self.types))
        # What slices look at is the text alone: the places of tokens are nobody's reading.
        self.train, self.test = _texts(data.train), _texts(data.test)

    def report(self) -> dict[str, Any]:
        data = self.data
        self.comparison = ModelComparison(
            self.counted(self.given), self.metrics_from, self.metric, self.samples, self.seed, self._baselines(), TEXTS
        )
        types = report_parts.type_rows(
            self.comparison.statistics, self.types, data.train, self.samples, CONFIDENCE, self.seed
        )
        same_text = slices.seen_in_training(self.train, self.test)
        common = self.comparison.report("ner", data.facts, self._insights(types, same_text))
        return {
            **common,
            "types": types,
            "unknown_types": [{"label": label, "count": number} for label, number in self.unknown.most_common()],
            "entities": {
                "gold": int(sum(len(counts.places(spans)) for spans in self.gold)),
                "given": int(sum(map(len, self.given))),
            },
            "partial": self._partial(),
            "seen": self.novelty,
            "errors": report_parts.error_groups(self.matches, data.test),
            "calibration": self._calibration(),
            "leakage": {"rows": int(same_text.sum()), "share": float(same_text.mean())},
            "slices": self._slices(same_text),
        }

    def counted(self, given: Sequence[Spans]) -> Statistics:
        return counts.statistics(self.gold, given, self.types)

    @cached_property
    def matches(self) -> list[list[errors.Match]]:
        """For every test row what became of each entity."""
        return [errors.compare(gold, given) for gold, given in zip(self.gold, self.given, strict=True)]

    def _baselines(self) -> list[Baseline]:
        if not self.settings.baselines:
            return []
        lexicon = Lexicon(self.data.train)
        memorized = [lexicon.find(example) for example in self.data.test]
        baselines = [Baseline("lexicon", *LEXICON, self.counted(memorized), LEXICON_PHRASE)]
        if self.data.pretrained_predictions is not None:
            untuned = self.counted([tagged.spans for tagged in self.data.pretrained_predictions])
            baselines.append(Baseline("untuned", *UNTUNED, untuned))
        return baselines

    def _partial(self) -> dict[str, Any]:
        """Every reading with its counts, its scores and the interval of its F1."""
        statistics = partial.statistics(self.gold, self.given)
        parts = bootstrap(statistics, partial.metrics_from, self.samples, CONFIDENCE, self.seed)
        sums = statistics.sum(axis=0).reshape(len(partial.SCHEMAS), -1)
        return {
            name: {
                **dict(zip(partial.OUTCOMES, map(int, row), strict=True)),
                "precision": parts[f"{name}.precision"].value,
                "recall": parts[f"{name}.recall"].value,
                "f1": parts[f"{name}.f1"].value,
                "f1_low": parts[f"{name}.f1"].low,
                "f1_high": parts[f"{name}.f1"].high,
            }
            for name, row in zip(partial.SCHEMAS, sums, strict=True)
        }

    @cached_property
    def _novelty_parts(self) -> tuple[np.ndarray, dict[str, Interval]]:
        known = seen.known_entities(self.data.train)
        statistics = seen.statistics(self.data.test, self.given, known)
        parts = bootstrap(statistics, seen.metrics_from, self.samples, CONFIDENCE, self.seed)
        return statistics.sum(axis=0), parts

    @cached_property
    def novelty(self) -> dict[str, Any]:
        """Scores on entities that training had (`seen`) and on new ones (`new`)."""
        sums, parts = self._novelty_parts
        return {
            name: {
                "gold": int(sums[3 * number + 2]),
                "given": int(sums[3 * number + 1]),
                **{
                    metric: {
                        "value": parts[f"{name}.{metric}"].value,
                        "low": parts[f"{name}.{metric}"].low,
                        "high": parts[f"{name}.{metric}"].high,
                    }
                    for metric in ("f1", "precision", "recall")
                },
            }
            for number, name in enumerate(seen.PARTS)
        }

    def _calibration(self) -> dict[str, Any] | None:
        """The entities given against their scores; None where there are none."""
        confidence, right = self._confidences()
        if not len(confidence):
            return None
        bins = calibration.reliability(confidence, right)
        return {
            "ece": calibration.expected_calibration_error(bins),
            "brier": float(((confidence - right) ** 2).mean()),
            "bins": bins,
        }

    def _confidences(self) -> tuple[np.ndarray, np.ndarray]:
        """Score and rightness of every entity that was given."""
        pairs = [
            (match.given["score"], match.kind == errors.RIGHT)
            for row in self.matches
            for match in row
            if match.given is not None
        ]
        return np.array([confidence for confidence, _ in pairs]), np.array(
            [right for _, right in pairs], dtype=np.float64
        )

    def _slices(self, same_text: np.ndarray) -> list[dict[str, Any]]:
        several = np.array([len(spans) for spans in self.gold])
        groups = {
            "length": slices.length_groups(self.test),
            "script": slices.script_groups(self.test),
            "entities": report_parts.entity_groups(several),
            "leakage": slices.leakage_groups(same_text),
        }
        return [
            entry
            for kind, members in groups.items()
            for entry in slices.slice_scores(
                kind,
                members,
                self.comparison.statistics,
                self.metrics_from,
                self.metric,
                self.samples,
                CONFIDENCE,
                self.seed,
            )
        ]

    def _insights(self, types: list[dict[str, Any]], same_text: np.ndarray) -> list[insights.Insight | None]:
        comparison, metric, facts, rows = self.comparison, self.metric, self.data.facts, len(self.test)
        entries: list[insights.Insight | None] = []
        if "lexicon" in comparison.differences:
            entries.append(
                task_insights.memory(
                    metric, comparison.value_of("lexicon"), comparison.differences["lexicon"], rows, CONFIDENCE
                )
            )
        if "untuned" in comparison.differences:
            entries.append(
                insights.untuned(
                    metric, comparison.value_of("untuned"), comparison.differences["untuned"], rows, CONFIDENCE
                )
            )
        sums, parts = self._novelty_parts
        gold = sums[2] + sums[5]
        entries.append(
            task_insights.generalisation(parts["seen.recall"], parts["new.recall"], sums[5] / gold if gold else 0.0)
        )
        kinds = Counter(match.kind for row in self.matches for match in row if match.kind != errors.RIGHT)
        entries.append(task_insights.main_error(dict(kinds), ERROR_NAMES))
        overall = comparison.intervals["macro_f1"].value
        weak = [
            row
            for row in types
            if row["f1_high"] is not None and row["f1_high"] < overall and row["f1"] < overall - insights.SHORTFALL
        ]
        entries.append(task_insights.weak_types(sorted(weak, key=lambda row: row["f1"]), overall, rows))
        entries.append(task_insights.untested_types([row["label"] for row in types if not row["support"]]))
        entries.append(task_insights.unknown_types(sorted(self.unknown), self.unknown.total()))
        entries.append(insights.small_test(rows, comparison.headline, metric))
        fresh = None
        if not same_text.all():
            fresh = float(self.metrics_from(comparison.statistics[~same_text].sum(axis=0))[metric])
        entries.append(insights.leakage(int(same_text.sum()), rows, metric, fresh))
        entries.append(self._calibration_insight())
        entries.append(insights.overfitting(facts.get("history") or [], facts.get("best_epoch")))
        entries.append(insights.short_of_time(facts))
        entries.append(self._shift_insight())
        return entries

    def _calibration_insight(self) -> insights.Insight | None:
        """Entities of one text are not independent: texts are resampled, not entities."""
        confidence, right = self._confidences()
        if not len(confidence):
            return None
        sums = np.zeros((len(self.matches), 3))
        for row, matches in zip(sums, self.matches, strict=True):
            for match in matches:
                if match.given is not None:
                    row += (1.0, match.given["score"], match.kind == errors.RIGHT)

        def gap(s: np.ndarray) -> dict[str, np.ndarray]:
            apart = np.full(np.shape(s[..., 0]), np.nan)
            return {"gap": np.divide(s[..., 1] - s[..., 2], s[..., 0], out=apart, where=s[..., 0] > 0)}

        difference = bootstrap(sums, gap, self.samples, CONFIDENCE, self.seed)["gap"]
        return insights.calibration(difference, float(confidence.mean()), float(right.mean()))

    def _shift_insight(self) -> insights.Insight | None:
        data = self.data
        if not data.validation or data.validation_predictions is None:
            return None
        held = counts.statistics(
            [example.target for example in data.validation],
            [tagged.spans for tagged in data.validation_predictions],
            self.types,
        )
        return insights.shift(
            self.metric, self.comparison.intervals_of(held)[self.metric], self.comparison.headline, len(self.test)
        )


def _texts(examples: Sequence[Example]) -> list[Example]:
    return [Example(example.row, {"text": example.inputs["text"]}, example.target) for example in examples]
