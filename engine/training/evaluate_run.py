"""Judging the saved model on the test rows: the last phases of a run.

Knows what evidence a report needs and how each piece is computed. Does not know what is concluded from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.text import Text
from engine.inference.reader import Reader
from engine.inference.readers import reader_for
from engine.inference.saved import load_base
from engine.models.device import memory_mb
from engine.models.speed import encoder_output_cache
from engine.models.speed.shared_prefix_cache import SharedPrefixCache
from engine.report.files import write_report
from engine.schema import GENERATIVE, Encoded, Example
from engine.tasks.model import EvaluationData, EvaluationSettings
from engine.training import forecast

if TYPE_CHECKING:
    from engine.training.session import Session

REPORTING = 4.0  # seconds for what comes after the last answer: intervals, baselines and files


def report_on(session: Session) -> None:
    """Judge the saved model on the test rows, which nothing has looked at before."""
    session.course.begin("evaluate")
    splits, reader = session.prepared.splits, session.reader(session.model)
    tested = sample_of(splits.test, _rows_tested(session), session.config.seed)
    test = reader.encode(tested)
    generative = session.task.spec.kind == GENERATIVE
    shared = SharedPrefixCache(session.lower.count if generative and session.lower is not None else 0)
    with shared.shared_with(session.model):
        predictions = reader.predict(tested, test, session.answering(Text("Test rows", "测试数据")))
    cheap = session.task.spec.max_test_rows is None
    validation = reader.predict(splits.validation, session.validation, session.still_wanted) if cheap else None
    train_metrics = _train_metrics(session, reader) if cheap else {}
    pretrained = _pretrained_predictions(session, tested, test, shared) if session.config.evaluation.baselines else None
    session.course.begin("report")
    facts = {
        **session.facts,
        "truncated_share": 0.0 if session.task.spec.windowed else session.train.truncated / max(1, len(splits.train)),
        "test_in_windows": test.truncated,
        "test_rows": len(splits.test),
        "tested_in_minutes": session.resolved.minutes if len(tested) < forecast.most_tested(session) else None,
        "lost_share": {"train": session.train.lost, "test": test.lost},
        "train_metrics": train_metrics,
        "best_step": session.progress.best_step,
        "best_epoch": session.progress.best_epoch,
        "stopped_early": session.progress.stopped_early,
        "stopped_by_owner": session.run.requested_stop == "keep",
        "history": [
            {
                "step": point["step"],
                "epoch": point["epoch"],
                "train_loss": point["train_loss"],
                "validation": {"loss": point["loss"], **point["metrics"]},
            }
            for point in session.progress.evaluations
        ],
        "examples_per_second": round(session.progress.examples / max(session.progress.seconds, 1e-9), 1),
        "peak_memory_mb": memory_mb(),
        "notices": session.prepared.notices,
        "seconds": {**session.course.seconds},
    }
    evaluation = session.config.evaluation
    data = EvaluationData(
        settings=EvaluationSettings(
            seed=session.config.seed,
            bootstrap_samples=evaluation.bootstrap_samples,
            metric=evaluation.metric,
            baselines=evaluation.baselines,
        ),
        outputs=session.outputs,
        train=splits.train,
        validation=splits.validation,
        test=tested,
        predictions=predictions,
        pretrained_predictions=pretrained,
        validation_predictions=validation,
        facts=facts,
    )
    report, records = session.task.report(data)
    session.course.end()
    report["run"]["seconds"] = session.course.seconds
    write_report(report, session.run.path("report"), records)
    headline = report["headline"]
    session.run.update(
        headline={key: headline[key] for key in ("metric", "value", "low", "high")},
        facts={**session.facts, "seconds": session.course.seconds, "peak_memory_mb": memory_mb()},
    )


def _rows_tested(session: Session) -> int:
    minutes = session.resolved.minutes
    if minutes is None:
        return forecast.most_tested(session)
    left = 60 * minutes - sum(session.course.seconds.values()) - REPORTING
    return forecast.tested_in(session, left)


def _train_metrics(session: Session, reader: Reader) -> dict[str, float]:
    """The metrics on a sample of the training rows."""
    train = session.prepared.splits.train
    random = np.random.default_rng(session.config.seed)
    size = forecast.rows_read_again(session)
    sample = [train[i] for i in sorted(random.choice(len(train), size, replace=False))]
    predictions = reader.predict(sample, progress=session.still_wanted)
    return session.task.score(sample, predictions, session.outputs)


def sample_of(examples: list[Example], most: int, seed: int) -> list[Example]:
    """All examples, or a random sample of `most` of them, in their order."""
    if len(examples) <= most:
        return examples
    chosen = np.random.default_rng(seed).choice(len(examples), most, replace=False)
    return [examples[index] for index in np.sort(chosen)]


def _pretrained_predictions(
    session: Session, tested: list[Example], test: Encoded, shared: SharedPrefixCache
) -> Any:
    """Predictions of the pretrained baseline on the test rows; it is saved with the model."""
    splits = session.prepared.splits
    base = load_base(session.description, session.attention, session.loaded.tokenizer)
    session.fast.enable("cpu_attention", base.model)
    if session.memory is not None:
        encoder_output_cache.enable(base.model, session.memory, all_tokens=True)
    half = "half_precision_weights" in session.fast
    reader = session.reader(reader_for(session.task).place(base.model, session.device, half))
    baseline = session.task.pretrained_baseline.fit(reader, splits.train, session.config.seed)
    baseline.save(session.run.path("model"))
    with shared.shared_with(base.model):
        return baseline.predict(reader, tested, test, session.answering(Text("The untuned model", "未微调的模型")))
