"""The run's diary: one JSON object a line, appended by the worker alone, read by whoever shows the run.

Knows how an event is written. Does not know what is done with it.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

from engine.text import Text


class EventLog:
    """Appends events with their time (Unix seconds) and the seconds since the log was opened."""

    def __init__(self, path: Path):
        self._file = path.open("a", encoding="utf-8")
        self._start = time.time()
        self._last_progress = 0.0

    def emit(self, kind: str, **values: Any) -> None:
        now = time.time()
        event = {"type": kind, "time": round(now, 3), "elapsed": round(now - self._start, 3), **values}
        self._file.write(json.dumps(_plain(event), ensure_ascii=False) + "\n")
        self._file.flush()

    def phase(self, name: str) -> None:
        self.emit("phase", phase=name)
        self._last_progress = 0.0

    def progress(self, phase: str, what: Text, done: int, total: int) -> None:
        """Tell how far a phase is, twice a second at most, and always at its end."""
        now = time.time()
        if done >= total or now - self._last_progress >= 0.5:
            self._last_progress = now
            self.emit("progress", phase=phase, what=what, done=done, total=total)

    def notice(self, code: str, message: Text, severity: str = "info", **values: Any) -> None:
        self.emit("notice", code=code, severity=severity, message=message, **values)

    def close(self) -> None:
        self._file.close()


def _plain(value: Any) -> Any:
    """JSON has no NaN, no infinity and no bilingual text."""
    if isinstance(value, Text):
        return value.to_dict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
