"""The evaluate stage: predictions of the saved model, and of the pretrained one, on the test rows.

Knows what evidence a report needs and how each piece is computed. Does not know what is concluded from it (report_run.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.core.text import Text
from engine.inference.reader import Reader
from engine.inference.saved import load_base
from engine.models.speed import encoder_output_cache
from engine.models.speed.shared_prefix_cache import SharedPrefixCache
from engine.schema import GENERATIVE, Encoded, Example
from engine.training.context import RunContext
from engine.training.encode import EncodedData
from engine.training.fit import TrainedModel
from engine.training.forecast import Workload
from engine.training.load_model import LoadedStage
from engine.training.prepare import PreparedData
from engine.training.saving import SavedModel
from engine.training.weights import TrainableModel

REPORT_SECONDS = 4.0  # for what follows the last prediction: intervals, baselines and files


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """Predictions as the task's `predict` returned them. None for what was not computed: it is too expensive, or switched off."""

    test: list[Example]  # the test rows that were answered, all of them or a sample
    encoded: Encoded  # their token sequences
    predictions: Any
    validation_predictions: Any | None
    baseline_predictions: Any | None  # of the pretrained model on the same test rows
    train_metrics: dict[str, float]  # on a sample of the training rows


def evaluate_run(
    context: RunContext,
    data: PreparedData,
    stage: LoadedStage,
    encoded: EncodedData,
    trainable: TrainableModel,
    trained: TrainedModel,
    saved: SavedModel,
) -> EvaluationResult:
    """Answer the test rows, which no stage before has used."""
    splits, spec, workload = data.splits, stage.task.spec, trainable.workload
    reader = stage.reader(saved.model, trained.outputs, encoded.resolved.max_length)
    rows = _rows_tested(context, encoded.resolved.minutes, workload, trained)
    tested = sample_of(splits.test, rows, data.config.seed)
    test = reader.encode(tested)
    prefixes = SharedPrefixCache(workload.cached_layers if spec.kind == GENERATIVE else 0)
    with prefixes.shared_with(saved.model):
        predictions = reader.predict(tested, test, context.progress_of(Text("Test rows", "测试数据")))
    validation, train_metrics = None, {}
    if spec.max_test_rows is None:  # answering is cheap
        validation = reader.predict(splits.validation, encoded.validation, context.keep_alive)
        train_metrics = _train_metrics(context, data, stage, workload, reader)
    baseline = None
    if data.config.evaluation.baselines:
        baseline = _baseline_predictions(context, data, stage, encoded, trained, saved, tested, test, prefixes)
    return EvaluationResult(tested, test, predictions, validation, baseline, train_metrics)


def sample_of(examples: list[Example], most: int, seed: int) -> list[Example]:
    """All examples, or a random sample of `most` of them, in their order."""
    if len(examples) <= most:
        return examples
    chosen = np.random.default_rng(seed).choice(len(examples), most, replace=False)
    return [examples[index] for index in np.sort(chosen)]


def _rows_tested(context: RunContext, minutes: float | None, workload: Workload, trained: TrainedModel) -> int:
    if minutes is None:
        return workload.most_tested
    left = 60 * minutes - sum(context.seconds.values()) - REPORT_SECONDS
    return workload.tested_in(left, trained.progress.evaluations)


def _train_metrics(
    context: RunContext, data: PreparedData, stage: LoadedStage, workload: Workload, reader: Reader
) -> dict[str, float]:
    """The task's metrics on a random sample of the training rows."""
    train = data.splits.train
    random = np.random.default_rng(data.config.seed)
    sample = [train[i] for i in sorted(random.choice(len(train), workload.train_metric_rows, replace=False))]
    predictions = reader.predict(sample, progress=context.keep_alive)
    return stage.task.score(sample, predictions, reader.outputs)


def _baseline_predictions(
    context: RunContext,
    data: PreparedData,
    stage: LoadedStage,
    encoded: EncodedData,
    trained: TrainedModel,
    saved: SavedModel,
    tested: list[Example],
    test: Encoded,
    prefixes: SharedPrefixCache,
) -> Any:
    """Predictions of the pretrained model on the test rows. What it needs to answer is saved with the tuned model."""
    base = load_base(saved.description, stage.attention, stage.loaded.tokenizer)
    stage.fast.enable("cpu_attention", base.model)
    if trained.encoder_cache is not None:
        encoder_output_cache.enable(base.model, trained.encoder_cache, all_tokens=True)
    reader = stage.reader(stage.ready(base.model), trained.outputs, encoded.resolved.max_length)
    baseline = stage.task.pretrained_baseline.fit(reader, data.splits.train, data.config.seed)
    baseline.save(context.run.path("model"))
    with prefixes.shared_with(base.model):
        return baseline.predict(reader, tested, test, context.progress_of(Text("The untuned model", "未微调的模型")))
