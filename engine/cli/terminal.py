"""A run on a terminal: progress lines on stderr, tables on stdout.

Knows events and width. Does not know commands.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from typing import Any

from engine.core.text import Text
from engine.run_directory.store import Run

PHASES = {
    "data": Text("Reading the data", "读取数据"),
    "model": Text("Loading the model", "加载模型"),
    "encode": Text("Encoding the texts", "编码文本"),
    "train": Text("Training", "训练"),
    "save": Text("Saving and checking the model", "保存并校验模型"),
    "evaluate": Text("Evaluating on the test rows", "在测试集上评估"),
    "report": Text("Writing the report", "撰写报告"),
}
STEP_LINE_SECONDS = 5.0


class RunPrinter:
    """Prints a run's events on stderr, the frequent ones at intervals."""

    def __init__(self, language: str):
        self._language = language
        self._last_step = -STEP_LINE_SECONDS

    def print(self, line: Text | str) -> None:
        text = line.in_language(self._language) if isinstance(line, Text) else line
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def __call__(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "phase":
            self.print(f"[{event['elapsed']:6.1f} s] {PHASES[event['phase']].in_language(self._language)}")
        elif kind == "notice":
            self.print(Text.from_dict(event["message"]))
        elif kind == "facts":
            facts = event["facts"]
            reason = Text.from_dict(facts.get("means") or facts["device_reason"]).in_language(self._language)
            self.print(
                f"  {facts['device']}, {reason}; batch {facts['batch_size']}, learning rate {facts['learning_rate']:g}, "
                f"max length {facts['max_length']}, rows {facts['rows']}"
            )
        elif kind == "step" and event["elapsed"] - self._last_step >= STEP_LINE_SECONDS:
            self._last_step = event["elapsed"]
            self.print(
                f"  {event['step']}/{event['total_steps']}  loss {event['loss']:.4f}  "
                f"{event['examples_per_second']:.0f} examples/s"
            )
        elif kind == "evaluation":
            metrics = "  ".join(f"{name} {value:.4f}" for name, value in event["metrics"].items())
            loss = f"{event['loss']:.4f}" if event["loss"] is not None else "-"
            self.print(f"  epoch {event['epoch']:.2f}  validation loss {loss}  {metrics}")

    def verdict(self, run: Run) -> None:
        from engine.report.files import load_report

        report = load_report(run.path("report"))
        self.print("")
        self.print(Text.from_dict(report["verdict"]["sentence"]))
        for point in report["verdict"]["points"]:
            self.print(f"- {Text.from_dict(point['text']).in_language(self._language)}")
        self.print(str(run.path("report", "report.html")))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to line up, with a Chinese character counted as two."""
    lines = [header, *rows]
    widths = [max((_width(line[column]) for line in lines), default=0) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
