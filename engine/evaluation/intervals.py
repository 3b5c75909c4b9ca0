"""How sure a number is: bootstrap intervals, and paired comparisons on the same rows.

Everything rests on additive statistics. Each example contributes a row of k numbers (correct or not, tp/pred/gold counts,
an F1, ...), and a metric is a function of the column sums. A resample is then one matrix product, whatever the metric, and
two systems are compared under the same resamples. Knows nothing of tasks, labels or reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

Statistics = np.ndarray  # float [examples, k]
Metrics = dict[str, np.ndarray]
MetricsFrom = Callable[[np.ndarray], Metrics]  # sums [..., k] -> {metric: values [...]}

_CHUNK_BYTES = 48 * 2**20  # of weights at a time; drawing them takes about three times as much


@dataclass(frozen=True, slots=True)
class Interval:
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the first system is than the second on the same rows, in units of the metric.

    `low` and `high` bound the bootstrap interval. `p_value` is two-sided, from a randomisation test.
    """

    metric: str
    value: float
    low: float
    high: float
    p_value: float

    def is_better(self, confidence: float) -> bool:
        """Better beyond doubt: the interval lies above zero, and the exact test agrees (it is the stricter one on few rows)."""
        return self.low > 0 and self.p_value <= 1 - confidence

    def is_worse(self, confidence: float) -> bool:
        return self.high < 0 and self.p_value <= 1 - confidence


def resample(statistics: Statistics, metrics_from: MetricsFrom, samples: int, seed: int) -> Metrics:
    """Every metric under `samples` bootstrap resamples of the examples: {metric: values [samples, ...]}.

    The same `seed` and number of examples give the same resamples, which is what makes comparisons paired.
    """
    if not len(statistics):
        raise ValueError("there is nothing to resample")
    parts = [metrics_from(weights @ statistics) for weights in _weights(len(statistics), samples, seed)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def bootstrap(
    statistics: Statistics, metrics_from: MetricsFrom, samples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, Interval]:
    """Percentile bootstrap intervals (Efron & Tibshirani 1993, chapter 13), widened where all examples agree.

    A metric that is undefined (NaN) in some resamples is judged by the others.
    """
    values = metrics_from(statistics.sum(axis=0))
    spread = resample(statistics, metrics_from, samples, seed)
    return {name: interval(float(value), spread[name], len(statistics), confidence) for name, value in values.items()}


def interval(value: float, resampled: np.ndarray, examples: int, confidence: float) -> Interval:
    """The percentile interval of resampled values [samples] of a metric between 0 and 1 that rests on `examples` examples.

    Where every example was right, or every one wrong, resampling sees no variation and its interval has no width. The exact
    binomial bound (Clopper & Pearson 1934) stands in: five out of five right do not prove perfection.
    """
    defined = resampled[~np.isnan(resampled)]
    if np.isnan(value) or not len(defined):
        return Interval(float("nan"), float("nan"), float("nan"))
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    low, high = min(float(low), value), max(float(high), value)
    if examples and low == high and value in (0.0, 1.0):
        bound = tail ** (1 / examples)
        low, high = (bound, 1.0) if value == 1.0 else (0.0, 1 - bound)
    return Interval(value, low, high)


def paired_difference(
    statistics_a: Statistics,
    statistics_b: Statistics,
    metrics_from: MetricsFrom,
    metric: str,
    samples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Difference:
    """How much better system a is than system b on the same examples, row by row in the same order.

    The interval is a paired percentile bootstrap: both systems are scored on the same resamples. The p-value is that of an
    approximate randomisation test (Noreen 1989; Yeh 2000): if the systems were equally good, exchanging their answers to an
    example would change nothing. For accuracy it samples the exact test of McNemar (1947), so it holds for any number of rows.
    """
    if statistics_a.shape != statistics_b.shape:
        raise ValueError("the two systems were not scored on the same examples")

    def score(sums: np.ndarray) -> np.ndarray:
        return metrics_from(sums)[metric]

    value = float(score(statistics_a.sum(axis=0)) - score(statistics_b.sum(axis=0)))
    count = len(statistics_a)
    resampled = np.concatenate(
        [score(weights @ statistics_a) - score(weights @ statistics_b) for weights in _weights(count, samples, seed)]
    )
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(resampled, [tail, 1 - tail])

    exchange = statistics_b - statistics_a
    differing = exchange[exchange.any(axis=1)]
    total_a, total_b = statistics_a.sum(axis=0), statistics_b.sum(axis=0)
    as_large = 0
    for swapped in _swaps(len(differing), samples, seed):
        moved = swapped @ differing
        # Exchanges that give the same counts may differ in the last bit of the metric; they are ties, not losses.
        as_large += int((np.abs(score(total_a + moved) - score(total_b - moved)) >= abs(value) - 1e-12).sum())
    # The observed assignment is one of those possible, hence + 1 (Davison & Hinkley 1997, section 4.2).
    p_value = (as_large + 1) / (samples + 1)
    return Difference(metric, value, min(float(low), value), max(float(high), value), p_value)


def _chunks(rows: int, samples: int) -> Iterator[int]:
    size = max(1, _CHUNK_BYTES // (8 * max(rows, 1)))
    while samples > 0:
        yield min(size, samples)
        samples -= size


def _weights(count: int, samples: int, seed: int) -> Iterator[np.ndarray]:
    """Multinomial weights [b, count]: how often each example is drawn in each resample."""
    generator = np.random.default_rng(seed)
    for size in _chunks(count, samples):
        drawn = generator.integers(count, size=(size, count))
        drawn += np.arange(size)[:, None] * count
        yield np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count).astype(np.float64)


def _swaps(count: int, samples: int, seed: int) -> Iterator[np.ndarray]:
    """Fair coins [b, count], independent of the bootstrap's draws."""
    generator = np.random.default_rng([seed, 1])
    for size in _chunks(count, samples):
        yield generator.integers(2, size=(size, count)).astype(np.float64)
