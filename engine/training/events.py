"""The run's diary: one JSON object a line, appended by the worker alone, read by whoever shows the run.

Knows how an event is written. Does not know what is done with it.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

from engine.core.redact import redact
from engine.core.text import Text


class EventLog:
    """Appends events with their time (Unix seconds) and `elapsed`, the seconds that workers of this run have spent on it.

    The seconds are counted, not read from the clock, and go on where an earlier worker's ended.
    """

    def __init__(self, path: Path):
        spent = _mend(path)
        self._file = path.open("a", encoding="utf-8")
        self._start = time.monotonic() - spent
        self._last_progress = -math.inf
        self.last_sign = time.monotonic()

    def sign_of_life(self) -> None:
        """Say that the work goes on where there is nothing to tell."""
        self.last_sign = time.monotonic()

    def emit(self, kind: str, **values: Any) -> None:
        self.sign_of_life()
        elapsed = round(self.last_sign - self._start, 3)
        event = {"type": kind, "time": round(time.time(), 3), "elapsed": elapsed, **values}
        self._file.write(json.dumps(plain(event), ensure_ascii=False) + "\n")
        self._file.flush()

    def phase(self, name: str) -> None:
        self.emit("phase", phase=name)
        self._last_progress = -math.inf

    def progress(self, phase: str, what: Text, done: int, total: int) -> None:
        """Tell how far a phase is, twice a second at most, and always at its end."""
        now = time.monotonic()
        if done >= total or now - self._last_progress >= 0.5:
            self._last_progress = now
            self.emit("progress", phase=phase, what=what, done=done, total=total)

    def notice(self, code: str, message: Text, severity: str = "info", **values: Any) -> None:
        self.emit("notice", code=code, severity=severity, message=message, **values)

    def close(self) -> None:
        self._file.close()


def _mend(path: Path) -> float:
    """Cut off a last line that a killed worker left half written; returns the last event's `elapsed`, 0 without any."""
    if not path.is_file():
        return 0.0
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)
    for line in reversed(content[:whole].splitlines()):
        try:
            return float(json.loads(line)["elapsed"])
        except (ValueError, KeyError, TypeError):
            continue  # what a power cut left of a block
    return 0.0


def plain(value: Any) -> Any:
    """JSON has no NaN, no infinity and no bilingual text; and an event has no secrets."""
    if isinstance(value, Text):
        return plain(value.to_dict())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return redact(value)
    return value
