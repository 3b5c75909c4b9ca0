"""The test rows behind a group of a summarization report.

Knows predictions.jsonl. Does not know how a row is shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.evaluation.predictions import read_predictions

GROUPS = ("numbers", "names", "worst", "random", "best")


def group_rows(directory: Path, report: dict[str, Any], group: str, limit: int = 20) -> list[dict[str, Any]]:
    """The rows of a group: those with a number or a name that the document lacks, or the examples of a kind. KeyError for another."""
    if group in ("numbers", "names"):
        rows = (record for record in read_predictions(directory) if record["strange"][group])
        return [record for record, _ in zip(rows, range(limit), strict=False)]
    return report["examples"][group][:limit]
