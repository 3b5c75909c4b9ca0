"""The section that only a report of stars has: how far off the stars are, and the sentences behind each bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.core.text import Text
from engine.evaluation.metric_format import count
from engine.evaluation.predictions import read_predictions
from engine.sections import Bar, Bars, Record, Records, RecordText, Section

TITLE = Text("How far off", "误差有多大")
BANDS = (
    Text("up to half a star", "不超过半星"),
    Text("up to one star", "不超过一星"),
    Text("up to two stars", "不超过两星"),
    Text("more than two stars", "超过两星"),
)


def report_sections(report: dict[str, Any]) -> list[Section]:
    total = sum(entry["count"] for entry in report["off_by"])
    bars = tuple(
        Bar(BANDS[one["band"]], one["count"] / total, count(one["count"]), pick=str(one["band"]))
        for one in report["off_by"]
    )
    return [Section("off_by", TITLE, (Bars(bars, (Text("Error", "误差"), Text("Sentences", "句子数"))),))]


def picked_rows(directory: Path, pick: str) -> Section:
    band = int(pick)
    rows = [row for row in read_predictions(directory) if row["band"] == band]
    records = tuple(
        Record((RecordText(row["inputs"]["sentence"]),), (f"{row['target']:g} → {row['prediction']:.1f}",))
        for row in rows[:20]
    )
    return Section("picked", BANDS[band], (Records(records),))
