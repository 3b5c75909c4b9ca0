"""The report stage: the evidence of a run handed to its task, and the report written.

Knows which facts of the run a report repeats. Does not know what the task concludes from them.
"""

from __future__ import annotations

from typing import Any

from engine.models.device import memory_mb
from engine.report.files import write_report
from engine.tasks.model import EvaluationData, EvaluationSettings
from engine.training.context import RunContext
from engine.training.encode import EncodedData
from engine.training.evaluate_run import EvaluationResult
from engine.training.fit import TrainedModel
from engine.training.load_model import LoadedStage
from engine.training.prepare import PreparedData
from engine.training.saving import SavedModel
from engine.training.weights import TrainableModel


def report_run(
    context: RunContext,
    data: PreparedData,
    stage: LoadedStage,
    encoded: EncodedData,
    trainable: TrainableModel,
    trained: TrainedModel,
    saved: SavedModel,
    evaluation: EvaluationResult,
) -> dict[str, Any]:
    """Write the report and the headline of the run. Returns the report."""
    facts = {
        **saved.facts,
        **_evaluation_facts(data, stage, encoded, trainable, evaluation),
        **_training_facts(trained),
        "stopped_by_owner": context.run.requested_stop == "keep",
        "notices": [*data.notices, *encoded.notices],
        "seconds": {**context.seconds},
    }
    settings = data.config.evaluation
    evidence = EvaluationData(
        settings=EvaluationSettings(
            seed=data.config.seed,
            bootstrap_samples=settings.bootstrap_samples,
            metric=settings.metric,
            baselines=settings.baselines,
        ),
        outputs=trained.outputs,
        train=data.splits.train,
        validation=data.splits.validation,
        test=evaluation.test,
        predictions=evaluation.predictions,
        pretrained_predictions=evaluation.baseline_predictions,
        validation_predictions=evaluation.validation_predictions,
        facts=facts,
    )
    report, records = stage.task.report(evidence)
    context.end()
    report["run"]["seconds"] = context.seconds
    write_report(report, context.run.path("report"), records)
    headline = report["headline"]
    context.run.update(
        headline={key: headline[key] for key in ("metric", "value", "low", "high")},
        facts={**saved.facts, "seconds": context.seconds, "peak_memory_mb": memory_mb()},
    )
    return report


def _evaluation_facts(
    data: PreparedData,
    stage: LoadedStage,
    encoded: EncodedData,
    trainable: TrainableModel,
    evaluation: EvaluationResult,
) -> dict[str, Any]:
    train, windowed = encoded.train, stage.task.spec.windowed
    sampled_for_time = len(evaluation.test) < trainable.workload.most_tested
    return {
        "truncated_share": 0.0 if windowed else train.truncated / max(1, len(data.splits.train)),
        "test_in_windows": evaluation.encoded.truncated,
        "test_rows": len(data.splits.test),
        "tested_in_minutes": encoded.resolved.minutes if sampled_for_time else None,
        "lost_share": {"train": train.lost, "test": evaluation.encoded.lost},
        "train_metrics": evaluation.train_metrics,
    }


def _training_facts(trained: TrainedModel) -> dict[str, Any]:
    progress = trained.progress
    return {
        "best_step": progress.best_step,
        "best_epoch": progress.best_epoch,
        "stopped_early": progress.stopped_early,
        "history": [
            {
                "step": point["step"],
                "epoch": point["epoch"],
                "train_loss": point["train_loss"],
                "validation": {"loss": point["loss"], **point["metrics"]},
            }
            for point in progress.evaluations
        ],
        "examples_per_second": round(progress.examples / max(progress.seconds, 1e-9), 1),
        "peak_memory_mb": memory_mb(),
    }
