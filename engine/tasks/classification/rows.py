"""The test rows behind a cell of a confusion matrix.

Knows predictions.jsonl. Does not know how a matrix or a row is shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.evaluation.predictions import read_predictions


def confusion_rows(directory: Path, label: str | None, prediction: str | None, limit: int = 50) -> list[dict[str, Any]]:
    """The test rows behind a cell of the confusion matrix, the surest first.

    For several labels a row: rows that have `label` and were given `prediction`. None stands for the lack of the other one:
    (X, None) are rows with X that were not given it, (None, X) rows given X that do not have it.
    """

    def holds(answer: str | list[str], required: str | None, other: str | None) -> bool:
        names = answer if isinstance(answer, list) else [answer]
        return required in names if required is not None else other not in names

    rows = [
        row
        for row in read_predictions(directory)
        if holds(row["target"], label, prediction) and holds(row["prediction"], prediction, label)
    ]
    return sorted(rows, key=lambda row: -row["confidence"])[:limit]
