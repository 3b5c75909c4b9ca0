"""How a model stands on the test rows: its metrics with their intervals, beside those of the simpler methods.

Knows additive statistics and what baselines are called. Does not know what a task's statistics mean: the task brings the function
from sums to metrics.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.core.text import Text
from engine.evaluation import verdict
from engine.evaluation.insights import Insight
from engine.evaluation.intervals import Difference, Interval, MetricsFrom, Statistics, bootstrap, paired_difference
from engine.evaluation.metric_format import metric_name

SCHEMA = 1
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Baseline:
    """A simpler method on the same test rows. `phrase` names it within the verdict's sentence; one without is shown, but not
    measured against. `reads` tells whether it looks at the text at all.
    """

    name: str
    label: Text
    about: Text
    statistics: Statistics
    phrase: Text | None = None
    reads: bool = True


@dataclass
class ModelComparison:
    """`statistics` [rows, k] are the tuned model's; those of each baseline belong to the same rows in the same order."""

    statistics: Statistics
    metrics_from: MetricsFrom
    metric: str
    samples: int
    seed: int
    baselines: Sequence[Baseline] = ()
    things: Text | None = None  # what is answered: texts, questions, ...

    @property
    def rows(self) -> int:
        return len(self.statistics)

    def intervals_of(self, statistics: Statistics) -> dict[str, Interval]:
        return bootstrap(statistics, self.metrics_from, self.samples, CONFIDENCE, self.seed)

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        return self.intervals_of(self.statistics)

    @property
    def headline(self) -> Interval:
        return self.intervals[self.metric]

    @cached_property
    def differences(self) -> dict[str, Difference]:
        """The model's lead over each baseline in the headline metric."""
        return {
            baseline.name: paired_difference(
                self.statistics,
                baseline.statistics,
                self.metrics_from,
                self.metric,
                self.samples,
                CONFIDENCE,
                self.seed,
            )
            for baseline in self.baselines
        }

    @cached_property
    def described(self) -> dict[str, Any]:
        """Each baseline as the report shows it."""
        entries = {}
        for baseline in self.baselines:
            intervals, lead = self.intervals_of(baseline.statistics), self.differences[baseline.name]
            entries[baseline.name] = {
                "label": baseline.label.to_dict(),
                "about": baseline.about.to_dict(),
                "metrics": {key: part.value for key, part in intervals.items()},
                "intervals": {key: [part.low, part.high] for key, part in intervals.items()},
                "difference": {
                    "metric": self.metric,
                    "value": lead.value,
                    "low": lead.low,
                    "high": lead.high,
                    "p_value": lead.p_value,
                },
            }
        return entries

    def value_of(self, baseline: str) -> float:
        """A baseline's headline metric."""
        return self.described[baseline]["metrics"][self.metric]

    @property
    def rivals(self) -> list[verdict.BaselineResult]:
        return [
            verdict.BaselineResult(
                baseline.phrase, self.value_of(baseline.name), self.differences[baseline.name], baseline.reads
            )
            for baseline in self.baselines
            if baseline.phrase is not None
        ]

    def report(self, task: str, facts: dict[str, Any], points: Sequence[Insight | None]) -> dict[str, Any]:
        """The part of report.json that every task has; what is the task's own comes beside it (see report.py)."""
        level = verdict.decide_level(self.headline, self.rivals, CONFIDENCE)
        sentence = verdict.sentence(self.metric, self.headline, self.rivals, self.rows, CONFIDENCE, self.things)
        return {
            "schema": SCHEMA,
            "task": task,
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "run": facts,
            "headline": {
                "metric": self.metric,
                "label": metric_name(self.metric).to_dict(),
                "value": self.headline.value,
                "low": self.headline.low,
                "high": self.headline.high,
                "confidence": CONFIDENCE,
                "rows": self.rows,
            },
            "verdict": {
                "level": level,
                "label": verdict.LEVELS[level].to_dict(),
                "sentence": sentence.to_dict(),
                "points": [point for point in points if point is not None],
            },
            "test": {name: part.value for name, part in self.intervals.items()},
            "intervals": {name: [part.low, part.high] for name, part in self.intervals.items()},
            "baselines": self.described,
        }
