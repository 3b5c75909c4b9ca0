"""What the data check offers to fix in the spans of a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.core.text import Text
from engine.data.fixes import on_each_row
from engine.data.task import RowFix
from engine.data.word_boundary import inside_word
from engine.schema import Example

Spans = list[dict[str, Any]]


def _on_spans(change: Callable[[str, Spans], Spans]) -> Callable[[Example], Example]:
    def changed(row: Example) -> Example:
        spans = tuple(change(row.inputs["text"], [dict(span) for span in row.target]))
        return row if spans == row.target else replace(row, target=spans)

    return changed


def _trim(text: str, spans: Spans) -> Spans:
    for span in spans:
        covered = text[span["start"] : span["end"]]
        span["start"] += len(covered) - len(covered.lstrip())
        span["end"] -= len(covered) - len(covered.rstrip())
    return [span for span in spans if span["start"] < span["end"]]


def _widen(text: str, spans: Spans) -> Spans:
    for span in spans:
        while inside_word(text, span["start"]):
            span["start"] -= 1
        while inside_word(text, span["end"]):
            span["end"] += 1
    return spans


def _drop_overlaps(text: str, spans: Spans) -> Spans:
    kept: Spans = []
    for span in sorted(spans, key=lambda s: (s["start"] - s["end"], s["start"])):
        if all(span["end"] <= other["start"] or other["end"] <= span["start"] for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda s: s["start"])


TRIM_SPANS = RowFix("trim_spans", Text("Trim blanks off the spans", "去掉区间首尾空白"), on_each_row(_on_spans(_trim)))
WIDEN_SPANS = RowFix(
    "widen_spans", Text("Widen the spans to whole words", "将区间扩展到完整单词"), on_each_row(_on_spans(_widen))
)
DROP_OVERLAPS = RowFix(
    "drop_overlaps",
    Text("Keep the longest of overlapping spans", "重叠区间只保留最长的"),
    on_each_row(_on_spans(_drop_overlaps)),
)
FIXES = (TRIM_SPANS, WIDEN_SPANS, DROP_OVERLAPS)
