"""Scoring a tuned model on another labelled file, with intervals.

Knows examples and metrics. Does not know where the model came from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.config import RunConfig
from engine.data.columns import resolve_columns
from engine.data.examples import labels_of, read_examples
from engine.data.load import read_table
from engine.errors import LabelProblem
from engine.evaluation.intervals import bootstrap
from engine.inference.predictor import Predictor
from engine.text import Text


def judge_file(predictor: Predictor, file: Path, config: RunConfig) -> dict[str, Any]:
    """`test` {metric: value}, `intervals` {metric: [low, high]} and `rows` for a labelled file.

    Columns are mapped as in training where the file has the same names, else guessed. Raises LabelProblem when the file
    has no label that the model knows.
    """
    task, outputs = predictor.task, predictor.outputs
    table = read_table(file, task=task.name)
    given = {role: column for role, column in config.data.columns.items() if column in table.columns}
    columns = resolve_columns(table, task.name, given)
    examples, _ = read_examples(table, task.name, columns, config.data)
    known = set(outputs.labels)
    if known and not any(known & set(labels_of(example)) for example in examples):
        raise LabelProblem(
            "unknown_labels",
            Text(
                f"None of the labels in {file.name} is known to this model.",
                f"{file.name} 中的标签都不在该模型的类别中。",
            ),
            Text(f"It knows: {', '.join(outputs.labels[:20])}.", f"模型的类别：{'、'.join(outputs.labels[:20])}。"),
            file=file.name,
        )
    counted = task.counts(examples, predictor.predictions(examples), outputs)
    settings = config.evaluation
    intervals = bootstrap(counted, task.metrics_from(outputs), settings.bootstrap_samples, 0.95, config.seed)
    chosen = {name: intervals[name] for name in task.metrics}
    return {
        "rows": len(examples),
        "test": {name: interval.value for name, interval in chosen.items()},
        "intervals": {name: [interval.low, interval.high] for name, interval in chosen.items()},
    }
