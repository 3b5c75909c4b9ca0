"""Scoring a tuned model on another labelled file, with intervals.

Knows examples and metrics. Does not know where the model came from.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from engine.config import RunConfig
from engine.core.errors import LabelProblem
from engine.core.text import Text
from engine.data.config import DataConfig
from engine.data.dataset import dataset_of
from engine.data.load import read_table
from engine.evaluation.intervals import bootstrap
from engine.inference.predictor import Predictor
from engine.schema import Notice


def judge_file(predictor: Predictor, file: Path, config: RunConfig, **reading: Any) -> dict[str, Any]:
    """`test` {metric: value}, `intervals` {metric: [low, high]}, `rows` and `notices` for a labelled file.

    `reading` overrules what is detected of the file (encoding, delimiter, sheet). Columns are mapped as in training where the
    file has the same names, else guessed. `notices` tell of rows left out and of rows with a label that the model does not
    know, which count as mistakes. Raises LabelProblem when it knows none of them.
    """
    task, outputs = predictor.task, predictor.outputs
    spec = task.spec
    table = read_table(file, task=spec, **reading)
    trained = predictor.description.columns
    data = DataConfig(
        train=str(file),
        columns={role: column for role, column in trained.items() if column in table.columns},
        label_separator=config.data.label_separator,
    )
    dataset = dataset_of({"train": table}, data, spec, predictor.description.base_model)
    examples, notices = spec.fit_targets(dataset.examples["train"], outputs), list(dataset.notices)
    known_labels = set(outputs.labels)
    if known_labels and not any(known_labels & set(spec.labels(example)) for example in examples):
        raise LabelProblem(
            "unknown_labels",
            Text(
                f"None of the labels in {file.name} is known to this model.",
                f"{file.name} 中的标签都不在该模型的类别中。",
            ),
            Text(f"It knows: {', '.join(outputs.labels[:20])}.", f"模型的类别：{'、'.join(outputs.labels[:20])}。"),
            file=file.name,
        )
    unknown_labels = Counter(
        label for example in examples for label in spec.labels(example) if known_labels and label not in known_labels
    )
    if unknown_labels:
        listed = [f"{label!r} ({count})" for label, count in unknown_labels.most_common(10)]
        notices.append(
            Notice(
                "unknown_labels",
                "warning",
                Text(
                    f"The model does not know these labels, so their rows count as mistakes: {', '.join(listed)}.",
                    f"模型没有学过以下标签，相应的行按答错计算：{'、'.join(listed)}。",
                ),
                unknown_labels.total(),
            )
        )
    counted = task.counts(examples, predictor.predictions(examples), outputs)
    settings = config.evaluation
    intervals = bootstrap(counted, task.metrics_from(outputs), settings.bootstrap_samples, 0.95, config.seed)
    chosen = {name: intervals[name] for name in task.spec.metrics if name in intervals}
    return {
        "rows": len(examples),
        "notices": [notice.to_dict() for notice in notices],
        "test": {name: interval.value for name, interval in chosen.items()},
        "intervals": {name: [interval.low, interval.high] for name, interval in chosen.items()},
    }
