"""The parts of a question answering report in the order and amount they are read in.

Knows the JSON of the report and returns what its templates (templates/qa) show. Does not know HTML or Markdown.
"""

from __future__ import annotations

from typing import Any

from engine.core.text import Text
from engine.report.charts import Series

FIRST_MISSES = 12
NOT_ANSWERED = Text("no answer", "没有答案")


def body(report: dict[str, Any]) -> dict[str, Any]:
    """What became of the questions, the threshold, and misses."""
    threshold = report.get("threshold")
    return {
        "outcomes": report.get("outcomes") or [],
        "scored_as": report.get("scored_as") or {},
        "threshold": threshold,
        "threshold_curve": _curve(threshold) if threshold else [],
        "misses": report.get("mistakes") or [],
        "first_misses": FIRST_MISSES,
        "not_answered": NOT_ANSWERED,
        "wanted_texts": wanted_texts,
    }


def wanted_texts(miss: dict[str, Any]) -> list[str]:
    """The references of a miss, each once."""
    return list(dict.fromkeys(answer["text"] for answer in miss["target"]))


def _curve(threshold: dict[str, Any]) -> list[Series]:
    points = list(zip(threshold["thresholds"], threshold["scores"], strict=True))
    nearest = min((x for x, _ in points), key=lambda x: abs(x - threshold["value"]))
    return [Series(Text("", ""), points, "tuned", nearest)]
