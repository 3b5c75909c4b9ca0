"""The test questions that came to the same.

Knows predictions.jsonl. Does not know how a row is shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.evaluation.predictions import read_predictions


def outcome_rows(directory: Path, outcome: str, limit: int = 50) -> list[dict[str, Any]]:
    """The questions with an outcome (report_parts.OUTCOMES), the surest first."""
    rows = [row for row in read_predictions(directory) if row["outcome"] == outcome]
    return sorted(rows, key=lambda row: -row["confidence"])[:limit]
