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
from engine.data.columns import resolve_columns
from engine.data.examples import read_examples
from engine.data.load import read_table
from engine.evaluation.intervals import bootstrap
from engine.inference.predictor import Predictor
from engine.schema import Notice


def judge_file(predictor: Predictor, file: Path, config: RunConfig, **reading: str) -> dict[str, Any]:
    """`test` {metric: value}, `intervals` {metric: [low, high]}, `rows` and `notices` for a labelled file.

    `reading` overrules what is detected of the file (encoding, delimiter, sheet). Columns are mapped as in training where the
    file has the same names, else guessed. `notices` tell of rows left out and of rows with a label that the model does not
    know, which count as mistakes. Raises LabelProblem when it knows none of them.
    """
    task, outputs = predictor.task, predictor.outputs
    table = read_table(file, task=task.spec, **reading)
    trained = predictor.description.columns
    given = {role: column for role, column in trained.items() if column in table.columns}
    columns = resolve_columns(table, task.spec, given)
    examples, notices = read_examples(table, task.spec, columns, config.data)
    examples = task.spec.fit_targets(examples, outputs)
    known = set(outputs.labels)
    if known and not any(known & set(task.spec.labels(example)) for example in examples):
        raise LabelProblem(
            "unknown_labels",
            Text(
                f"None of the labels in {file.name} is known to this model.",
                f"{file.name} 中的标签都不在该模型的类别中。",
            ),
            Text(f"It knows: {', '.join(outputs.labels[:20])}.", f"模型的类别：{'、'.join(outputs.labels[:20])}。"),
            file=file.name,
        )
    strange = Counter(label for example in examples for label in task.spec.labels(example) if known and label not in known)
    if strange:
        listed = [f"{label!r} ({count})" for label, count in strange.most_common(10)]
        notices.append(
            Notice(
                "unknown_labels",
                "warning",
                Text(
                    f"The model does not know these labels, so their rows count as mistakes: {', '.join(listed)}.",
                    f"模型没有学过以下标签，相应的行按答错计算：{'、'.join(listed)}。",
                ),
                strange.total(),
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
