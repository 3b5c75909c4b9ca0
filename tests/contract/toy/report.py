"""The report of stars: the common comparison, and how far off the stars are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.core.text import Text
from engine.evaluation import insights, slices
from engine.evaluation.baselines import UNTUNED
from engine.evaluation.comparison import CONFIDENCE, Baseline, ModelComparison
from engine.schema import Example
from engine.tasks.model import EvaluationData
from tests.contract.toy.counts import metrics_from, statistics
from tests.contract.toy.decode import Scale

AVERAGE = (Text("Always the average", "永远取平均值"), Text("The mean stars of training.", "训练集的平均星级。"))
AVERAGE_PHRASE = Text("always giving the average", "永远给出平均值的方法")
SENTENCES = Text("sentences", "句子")


def build_report(data: EvaluationData[Scale, np.ndarray]) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    gold, given = np.array([example.target for example in data.test]), data.predictions
    baselines = []
    if data.settings.baselines:
        mean = float(np.mean([example.target for example in data.train]))
        counted = statistics(gold, np.full(len(gold), mean))
        baselines.append(Baseline("average", *AVERAGE, counted, AVERAGE_PHRASE, reads=False))
    if data.pretrained_predictions is not None:
        baselines.append(Baseline("untuned", *UNTUNED, statistics(gold, data.pretrained_predictions)))
    metric, settings, tested = data.settings.metric or "within_half", data.settings, statistics(gold, given)
    compared = ModelComparison(
        tested, metrics_from, metric, settings.bootstrap_samples, settings.seed, baselines, SENTENCES
    )
    points = [insights.small_test(len(gold), compared.headline, metric), insights.short_of_time(data.facts)]
    sliced = slices.slice_scores(
        "length", slices.length_groups(data.test), tested, metrics_from, metric, settings.bootstrap_samples, CONFIDENCE,
        settings.seed,
    )  # fmt: skip
    report = {**compared.report("stars", data.facts, points), "off_by": off_by(gold, given), "slices": sliced}
    return report, records(data.test, given)


def off_by(gold: np.ndarray, given: np.ndarray) -> list[dict[str, Any]]:
    """How many sentences are off by up to half a star, one, two and more."""
    band = np.digitize(np.abs(gold - given), [0.5, 1.0, 2.0], right=True)
    return [{"band": number, "count": int((band == number).sum())} for number in range(4)]


def records(test: list[Example], given: np.ndarray) -> Iterator[dict[str, Any]]:
    bands = np.digitize(np.abs(np.array([example.target for example in test]) - given), [0.5, 1.0, 2.0], right=True)
    for example, stars, band in zip(test, given, bands, strict=True):
        inputs, number = example.inputs, round(float(stars), 4)
        yield {
            "row": example.row,
            "inputs": inputs,
            "target": example.target,
            "prediction": number,
            "band": int(band),
        }
