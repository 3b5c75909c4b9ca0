"""The report on the page: its sections as markup, and the test rows behind what a reader clicks.

Knows which component holds which sections. Which sections there are is decided by engine/report/common.py and the task; how they are drawn by
engine/report/html.py, which escapes everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from demo.markup import PICK
from demo.page import Page
from engine.report.common import report_sections
from engine.report.html import sections_html
from engine.sections import Section, picks_in
from engine.tasks import task_named


@dataclass
class ReportView:
    """The components of the report. The sections with something to click are apart: a click fills what stands below them."""

    top: gr.HTML
    groups: gr.HTML
    opened: gr.HTML
    rest: gr.HTML


def build(page: Page, task: str) -> ReportView:
    top = gr.HTML("", apply_default_css=False, elem_id=f"{task}-report")
    groups = gr.HTML("", js_on_load=PICK, apply_default_css=False, elem_id=f"{task}-groups")
    opened = gr.HTML("", apply_default_css=False, elem_id=f"{task}-opened")
    rest = gr.HTML("", apply_default_css=False, elem_id=f"{task}-rest")
    return ReportView(top, groups, opened, rest)


def report_html(report: dict[str, Any], language: str) -> tuple[str, str, str]:
    """The sections above those with something to click, those, and the ones below."""
    above, clickable, below = parted(report_sections(report))
    return _article(above, language), _article(clickable, language), _article(below, language)


def parted(sections: Sequence[Section]) -> tuple[Sequence[Section], Sequence[Section], Sequence[Section]]:
    """The sections in three parts, in their order; the middle one begins and ends with a section that leads to test rows."""
    leading = [index for index, section in enumerate(sections) if picks_in(section)]
    if not leading:
        return sections, [], []
    first, last = leading[0], leading[-1] + 1
    return sections[:first], sections[first:last], sections[last:]


def picked_html(directory: Path, report: dict[str, Any], pick: str, language: str) -> str:
    """The test rows behind what was clicked; nothing for a pick that this report does not have."""
    try:
        section = task_named(report["task"]).picked_rows(directory, report, pick)
    except (LookupError, ValueError):
        return ""
    return f'<div class="tb-cell-rows" aria-live="polite">{sections_html([section], language)}</div>'


def _article(sections: Sequence[Section], language: str) -> str:
    return f'<article class="tb-report">{sections_html(sections, language, picks=True)}</article>' if sections else ""
