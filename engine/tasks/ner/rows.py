"""The test rows behind a group of errors.

Knows predictions.jsonl. Does not know how a row is shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.evaluation.predictions import read_predictions


def error_rows(
    directory: Path, kind: str, label: str | None = None, prediction: str | None = None, limit: int = 50
) -> tuple[int, list[dict[str, Any]]]:
    """How many errors of a kind there are, and the first of them, the surest answers first: a row with its `error`.

    `label` and `prediction` narrow it to one pair of types, "" standing for none.
    """
    entries = []
    for row in read_predictions(directory):
        for error in row["errors"]:
            types = [(error[side] or {}).get("label", "") for side in ("gold", "given")]
            if error["kind"] == kind and (label is None or types == [label, prediction]):
                entries.append({**row, "error": error})
    entries.sort(key=lambda row: -(row["error"]["given"] or {}).get("score", 0.0))
    return len(entries), entries[:limit]
