"""Judging the saved model on the test rows: the last phases of a run.

Knows what evidence a report needs and how each piece is computed. Does not know what is concluded from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.classification import build_report, predictions
from engine.evaluation.evidence import Evidence
from engine.evaluation.report import write_report
from engine.inference.forward import mean_pooled
from engine.inference.forward import run as forward
from engine.inference.predictor import mean_over_windows
from engine.inference.saved import load_base
from engine.inference.untuned import Centroids, sample_for_centroids
from engine.models.device import attention_for
from engine.tasks.base import Encoded
from engine.training.trainer import memory_mb

if TYPE_CHECKING:
    from engine.training.session import Session


def report_on(session: Session) -> None:
    """Judge the saved model on the test rows, which nothing has looked at before."""
    session.course.begin("evaluate")
    splits, tokenizer = session.prepared.splits, session.loaded.tokenizer
    length = session.resolved.max_length
    test = session.task.encode(splits.test, tokenizer, length, windows=True)
    probabilities = session.probabilities(session.model, test, splits.test)
    validation = session.probabilities(session.model, session.validation, splits.validation)
    train_metrics = _train_metrics(session)
    untuned = _untuned(session, test) if session.config.evaluation.baselines else None
    session.course.begin("report")
    facts = {
        **session.facts,
        "truncated_share": session.train.truncated / max(1, len(splits.train)),
        "test_in_windows": test.truncated,
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
    evidence = Evidence(
        task=session.config.task,
        labels=session.classes.labels,
        multi_label=session.classes.multi_label,
        train=splits.train,
        validation=splits.validation,
        test=splits.test,
        probabilities=probabilities,
        untuned_probabilities=untuned,
        validation_probabilities=validation,
        config=session.config,
        facts=facts,
    )
    report = build_report(evidence)
    session.course.end()
    report["run"]["seconds"] = session.course.seconds
    write_report(report, session.run.path("report"), predictions(evidence))
    headline = report["headline"]
    session.run.update(
        headline={key: headline[key] for key in ("metric", "value", "low", "high")},
        facts={**session.facts, "seconds": session.course.seconds, "peak_memory_mb": memory_mb()},
    )


def _train_metrics(session: Session) -> dict[str, float]:
    """The metrics on a sample of the training rows as large as the validation split: the gap tells of overfitting."""
    train = session.prepared.splits.train
    random = np.random.default_rng(session.config.seed)
    size = min(len(train), max(200, len(session.prepared.splits.validation)))
    sample = [train[i] for i in sorted(random.choice(len(train), size, replace=False))]
    encoded = session.task.encode(sample, session.loaded.tokenizer, session.resolved.max_length, windows=True)
    return session.task.score(sample, session.probabilities(session.model, encoded, sample), session.classes)


def _untuned(session: Session, test: Encoded) -> np.ndarray:
    """Test probabilities of the pretrained model before any training; its centroids are kept with the model."""
    splits = session.prepared.splits
    base = load_base(session.description, attention_for(session.device))
    base.model.to(session.device.name)
    pad = base.tokenizer.pad_token_id
    targets = session.task.targets(splits.train, session.classes)
    chosen = sample_for_centroids(targets, session.config.seed)
    length = session.resolved.max_length
    some = [splits.train[i] for i in chosen]
    encoded = session.task.encode(some, base.tokenizer, length, windows=True)

    def pooled(encoded: Encoded, count: int) -> np.ndarray:
        vectors = forward(base.model, encoded.features, pad, session.device, read=mean_pooled)
        return mean_over_windows(vectors, encoded.features, count)

    centroids = Centroids.fit(pooled(encoded, len(some)), targets[chosen])
    centroids.save(session.run.path("model", "untuned.safetensors"))
    return centroids.probabilities(pooled(test, len(splits.test)))
