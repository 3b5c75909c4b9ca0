"""A report on disk: JSON, Markdown and one HTML file that needs nothing else, beside the answers to the test rows.

Knows which files there are and in which order they are written. What they show is decided by the sections (engine/report/common.py).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.core.errors import RunProblem
from engine.core.text import Text
from engine.evaluation.predictions import write_predictions
from engine.report.common import FOOTER, report_sections, report_title
from engine.report.html import report_page
from engine.report.markdown import escape_markdown, sections_markdown

FILES = {"en": "report.md", "zh-CN": "report.zh-CN.md"}


def write_report(report: dict[str, Any], directory: Path, predictions: Iterable[dict[str, Any]]) -> None:
    """Write predictions.jsonl, report.md, report.zh-CN.md, report.html, and report.json last: where it is, all of them are."""
    directory.mkdir(parents=True, exist_ok=True)
    write_predictions(directory, predictions)
    for language, name in FILES.items():
        _write(directory / name, render_markdown(report, language))
    _write(directory / "report.html", render_html(report))
    unfinished = directory / "report.json.part"
    _write(unfinished, json.dumps(report, ensure_ascii=False, allow_nan=False))
    os.replace(unfinished, directory / "report.json")


def load_report(directory: Path) -> dict[str, Any]:
    """The report of a run's report directory. Raises RunProblem when there is none."""
    try:
        return json.loads(directory.joinpath("report.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunProblem(
            "no_report",
            Text("This run has no report.", "该运行还没有评估报告。"),
            Text("A report is written when training is done.", "训练完成后会生成报告。"),
        ) from error


def render_html(report: dict[str, Any], language: str = "en") -> str:
    """One HTML page in both languages, with `language` shown first and a switch that needs no script."""
    return report_page(report_sections(report), report_title(report), report.get("created", ""), FOOTER, language)


def render_markdown(report: dict[str, Any], language: str = "en") -> str:
    """The report as GitHub-flavoured Markdown in one language."""
    title = escape_markdown(report_title(report).in_language(language))
    return f"# {title}\n\n{sections_markdown(report_sections(report), language)}"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
