"""The answers to the test rows as they stand in a run's report directory: predictions.jsonl, one JSON object a row.

Knows the file; what a row holds is the task's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

FILE = "predictions.jsonl"


def read_predictions(directory: Path) -> Iterator[dict[str, Any]]:
    """The test rows with their answers, one at a time."""
    with directory.joinpath(FILE).open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def write_predictions(directory: Path, predictions: Iterable[dict[str, Any]]) -> None:
    # Texts may hold half a surrogate pair, which UTF-8 cannot; written as \\udc00 it is still the same JSON.
    with directory.joinpath(FILE).open("w", encoding="utf-8", errors="backslashreplace") as file:
        for prediction in predictions:
            file.write(json.dumps(prediction, ensure_ascii=False, allow_nan=False) + "\n")
