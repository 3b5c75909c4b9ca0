"""The cost of reading and generating beside training: how much of a run's time its evaluations and its report will take.

All costs are in training rows: the time that an update takes for one row. A row that is only read costs a third of that, its forward
pass. Knows how many rows a run has and what is done with them. Does not know how a run is fitted into its time (budget.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.inference.generative_reader import VALIDATION_SAMPLE
from engine.schema import GENERATIVE

if TYPE_CHECKING:
    from engine.training.encode import EncodedData
    from engine.training.load_model import LoadedStage
    from engine.training.prepare import PreparedData

TRAIN_METRIC_TOKENS = (
    8000  # tokens of training rows that are scored at the end, which means fewer rows where texts are long
)
BASELINE_ROWS = 100  # training rows with which the pretrained baseline is fitted
READ = 1 / 3
READ_GENERATIVE = 0.65  # of a generative model, in which mostly the upper layers are trained
GENERATED = 1.2  # a row of an evaluation's sample: prompt and answer, in a small batch
GENERATED_IN_BATCH = 0.8  # a test row: up to 32 answers share each reading of the weights
MIN_GENERATED = 30  # test rows that are generated however short the time is; an interval over fewer means little


@dataclass(frozen=True, slots=True)
class Workload:
    """How many rows a run reads and generates beside its updates."""

    generative: bool
    train: int  # rows
    validation: int
    test: int
    train_tokens: float  # a row
    validation_sequences: int
    windowed: bool
    max_test_rows: int | None  # that are answered; None for all
    baselines: bool  # whether the pretrained model is evaluated too
    metric_chosen: bool  # whether the configuration names the metric that selects the best checkpoint
    limited: bool  # whether the run has to end in a given time
    layers: int
    cached_layers: int  # the lowest layers, whose output for training and validation rows is cached

    @classmethod
    def of(cls, data: PreparedData, stage: LoadedStage, encoded: EncodedData, cached_layers: int) -> Workload:
        spec, evaluation, splits = stage.task.spec, data.config.evaluation, data.splits
        return cls(
            generative=spec.kind == GENERATIVE,
            train=len(splits.train),
            validation=len(splits.validation),
            test=len(splits.test),
            train_tokens=sum(encoded.lengths) / len(splits.train),
            validation_sequences=len(encoded.validation.features),
            windowed=spec.windowed,
            max_test_rows=evaluation.max_rows or spec.max_test_rows,
            baselines=evaluation.baselines,
            metric_chosen=bool(evaluation.metric),
            limited=encoded.resolved.minutes is not None,
            layers=stage.loaded.model.config.num_hidden_layers,
            cached_layers=cached_layers,
        )

    def evaluation_cost(self, loss_only: bool = False) -> float:
        """The cost of one evaluation while training; with `loss_only` nothing is generated."""
        if not self.generative:
            return READ * self.validation_sequences
        return READ_GENERATIVE * self.validation_sequences + (
            0 if loss_only else GENERATED * min(VALIDATION_SAMPLE, self.validation)
        )

    @property
    def loss_suffices(self) -> bool:
        """Whether the best checkpoint is chosen by the loss alone, so that an evaluation need not generate."""
        return self.generative and not self.metric_chosen

    @property
    def report_cost(self) -> float:
        """The cost of what the tuned and the pretrained model read or generate once training is over."""
        if self.generative:
            # Of a limited time only the fewest rows are reserved; more are generated where it allows (`tested_in`).
            rows = min(MIN_GENERATED, self.most_tested) if self.limited else self.most_tested
            return GENERATED_IN_BATCH * self._models * rows
        rows = self.most_tested + self.validation + self.train_metric_rows
        if self.baselines:
            rows += self.most_tested + BASELINE_ROWS
        # A row of several windows takes as many sequences at the end as it does while training.
        return READ * rows * self._uncached_factor * self.validation_sequences / self.validation

    @property
    def train_metric_rows(self) -> int:
        """Training rows that are scored at the end, because the gap to the validation score shows overfitting.

        At least 200, or 100 where texts are read in windows; but only 50 where texts are so long that they would take longer than
        the test rows do.
        """
        least = 100 if self.windowed else 200
        least = max(50, min(least, round(TRAIN_METRIC_TOKENS / self.train_tokens)))
        return min(self.train, max(least, self.validation))

    @property
    def most_tested(self) -> int:
        """Test rows that are answered where time is not limited."""
        return min(self.test, self.max_test_rows or self.test)

    def tested_in(self, seconds: float, evaluations: Sequence[dict[str, Any]]) -> int:
        """Test rows that are answered in about `seconds`, estimated from the durations of `evaluations`; all where that is cheap."""
        most = self.most_tested
        if not self.generative or not evaluations:
            return most
        # An evaluation with one metric has computed the likelihood only.
        cost = sum(self.evaluation_cost(loss_only=len(point["metrics"]) == 1) for point in evaluations)
        row = sum(point["seconds"] for point in evaluations) / cost * GENERATED_IN_BATCH * self._models
        return min(most, max(MIN_GENERATED, int(seconds / row)))

    @property
    def _uncached_factor(self) -> float:
        """The cost of a row that is not in the cache of the frozen layers, in rows that are."""
        return self.layers / (self.layers - self.cached_layers)

    @property
    def _models(self) -> int:
        return 2 if self.baselines else 1
