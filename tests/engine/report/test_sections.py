"""The page and the file show the same sections from the same code; every block is rendered in both media and in Markdown.

Run: python -m pytest tests/engine/report/test_sections.py
"""

from __future__ import annotations

import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest

from demo.parts.report_view import parted, picked_html, report_html
from engine import sections as blocks
from engine.core.text import LANGUAGES, Text
from engine.report.common import report_sections
from engine.report.files import render_html, render_markdown
from engine.report.html import sections_html
from engine.report.markdown import sections_markdown
from engine.sections import Bar, Bars, Column, Fold, Paragraph, Section, Span, Table, picks_in

ZIPS = Path(__file__).parents[2] / "fixtures" / "runs"
EMPTY = ("area", "br", "hr", "input", "meta", "wbr")


class Shown(HTMLParser):
    """The text of each section in one language, in order; what one medium alone shows is left out: examples of
    groups in a file, how to see them on the page."""

    def __init__(self, markup: str, language: str):
        super().__init__()
        self.other = "zh" if language == "en" else "en"
        self.open: list[tuple[str, bool]] = []
        self.texts: dict[str, str] = {}
        self.current = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        classes = (values.get("class") or "").split()
        if tag == "section":
            self.current = values["data-section"] or ""
            self.texts[self.current] = ""
        if tag not in EMPTY:
            self.open.append((tag, bool({self.other, "tb-examples", "tb-page-only"} & set(classes))))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass
        self.current = "" if tag == "section" else self.current

    def handle_data(self, data: str) -> None:
        if self.current and not any(hidden for _, hidden in self.open):
            self.texts[self.current] += "".join(data.split())


@pytest.fixture(params=["classification", "ner", "qa", "summarization"])
def report(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The report of a small run of each task."""
    with zipfile.ZipFile(ZIPS / f"{request.param}.zip") as archive:
        [name] = [name for name in archive.namelist() if name.endswith("report/report.json")]
        return json.loads(archive.read(name))


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_and_file_show_the_same_sections_and_words(report: dict[str, Any], language: str) -> None:
    page = Shown("".join(report_html(report, language)), language).texts
    file = Shown(render_html(report, language), language).texts
    assert list(page) == list(file) == [section.id for section in report_sections(report)]
    for name, text in page.items():
        assert text == file[name], name
    assert {"verdict", "comparison", "run"} < set(page) and len(page) >= 7


def test_every_section_has_an_id_of_its_own_and_a_heading_in_markdown(report: dict[str, Any]) -> None:
    sections = report_sections(report)
    assert len({section.id for section in sections}) == len(sections)
    # The small tagger made no mistake: there is nothing behind its errors.
    assert any(picks_in(section) for section in sections) or not any(group["count"] for group in report["errors"])
    assert len(re.findall(r"^## ", render_markdown(report), re.MULTILINE)) == len(sections) - 1


def test_a_report_without_most_of_its_parts_is_still_shown(report: dict[str, Any]) -> None:
    """Runs without baselines, without history, with few rows; reports of older versions."""
    bare = {**report, "baselines": {}, "slices": [], "calibration": None, "more_data": None, "run": {}}
    shown = {section.id for section in report_sections(bare)}
    assert {"verdict", "metrics", "run"} < shown
    assert not shown & {"comparison", "learning", "slices", "calibration", "more_data"}
    assert render_html(bare) and render_markdown(bare, "zh-CN")


def test_a_pick_of_nothing_shows_nothing(report: dict[str, Any], tmp_path: Path) -> None:
    for pick in ("", "-", "no such thing", "999,999", "type:9999", "<b>"):
        assert picked_html(tmp_path, report, pick, "en") == ""


def test_sections_are_parted_around_those_with_something_to_click() -> None:
    plain, clickable = (
        Section(name, name, (Bars((Bar("a", 0.5, "1", pick=pick),)),)) for name, pick in (("p", ""), ("c", "a"))
    )
    assert parted([plain, plain]) == ([plain, plain], [], [])
    assert parted([plain, clickable, plain, clickable, plain]) == ([plain], [clickable, plain, clickable], [plain])


def test_a_picked_cell_of_a_table_is_a_button_on_the_page_only() -> None:
    table = Table((Column("", "number"),), ((Span("7", "wrong", title="seven", pick="0,1"),),))
    section = Section("s", "S", (Fold("more", (table,)),))
    assert 'data-pick="0,1"' in sections_html([section], "en", picks=True)
    file = sections_html([section], None)
    assert "<button" not in file and ">7<" in file and picks_in(section)


def test_every_kind_of_block_has_its_renderers() -> None:
    for kind in get_args(blocks.Block):
        assert kind in markdown_renderers(), kind
    assert "two words" in sections_html([Section("s", "", (Paragraph(Text("two words", "两个词")),))], "en")
    assert "两个词" in sections_markdown([Section("s", "", (Paragraph(Text("two words", "两个词")),))], "zh-CN")


def markdown_renderers() -> dict[type, Any]:
    from engine.report import markdown

    return markdown._RENDERERS
