"""Whatever a table, a model or a visitor says is text on the page, never markup. Run: python -m pytest tests/demo/test_page_safety.py"""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pandas
import pytest
from fake_run import finished_run, make_run, write_report
from fake_run import report as some_report

from demo import markup
from demo.page import Page
from demo.parts import data_step, export, playground, train_step
from demo.parts.report_view import picked_html, report_html
from demo.tabs import runs
from demo.tabs.classification import TAB
from demo.uploads import Uploads
from engine.config import RunConfig
from engine.core.errors import FileProblem, RunProblem, UserError
from engine.core.settings import Settings
from engine.core.text import Text
from engine.data.check import CheckResult
from engine.data.findings import Finding
from engine.data.table import Source, Table
from engine.evaluation.predictions import write_predictions
from engine.schema import Place
from engine.tasks.classification.sections import MOST_PAIRS

HOSTILE = "\"><img src=x onerror=alert(1)><script>alert('x')</script>${alert(1)}{{7*7}}&lt;b&gt;"
ALLOWED = {
    "article", "b", "blockquote", "button", "circle", "code", "dd", "details", "div", "dl", "dt", "figcaption", "figure", "g", "h2", "h3", "h4",
    "header", "i", "li", "line", "mark", "ol", "p", "polyline", "pre", "section", "small", "span", "summary", "svg", "table", "tbody", "td",
    "text", "th", "thead", "tr", "ul", "wbr",
}  # fmt: skip


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


def assert_harmless(html: str) -> None:
    tags = Tags()
    tags.feed(html)
    assert tags.found <= ALLOWED, tags.found - ALLOWED
    assert not {name for name in tags.attributes if name.startswith("on") or name in ("href", "src", "srcdoc")}


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page.from_settings(Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs"))


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_hostile_report_is_text(tmp_path: Path, language: str) -> None:
    hostile = some_report(label_a=HOSTILE, label_b=HOSTILE + "2", text=HOSTILE)
    write_predictions(tmp_path, [{**row, "target": row["label"]} for row in hostile["mistakes"]])
    shown = [*report_html(hostile, language), picked_html(tmp_path, hostile, "0,1", language)]
    assert shown[-1].count("<li>") == 1
    many = [HOSTILE + str(number) for number in range(40)]
    matrix = [[3 if i == j else int((i + j) % 7 == 0) for j in range(40)] for i in range(40)]
    _, large, _ = report_html({**hostile, "confusion": {"labels": many, "matrix": matrix}}, language)
    assert large.count('class="tb-bar tb-bar-bad tb-pick"') == MOST_PAIRS
    shown.append(large)
    several = {**hostile, "confusion": {"labels": [HOSTILE], "per_class": [[[5, 1], [2, 3]]]}}
    shown.append(report_html(several, language)[1])
    for html in shown:
        assert "&lt;img" in html
        assert_harmless(html)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_hostile_run_is_text(page: Page, language: str) -> None:
    run = finished_run(page.store.directory, label_a=HOSTILE, text=HOSTILE)
    config = RunConfig.from_dict({"name": HOSTILE, "data": {"train": f"/x/{HOSTILE}"}, "model": {"id": HOSTILE}})
    run.path("config.yaml").write_text(config.to_yaml(), encoding="utf-8")
    new = train_step.updates(page, run, language)
    for html in (*(new[name] for name in ("head", "status", "curves", "notes")), runs.list_html(page, language)):
        assert_harmless(html)
    assert "&lt;img" in new["head"] and "&lt;img" in new["notes"]
    assert_harmless(playground.suggestions_html(run, TAB, language))
    assert_harmless(export.code_html(run, False, language))


def test_a_hostile_failure_is_text(page: Page) -> None:
    output = Text(HOSTILE, HOSTILE).to_dict()
    error = {"kind": "UserError", "code": "x", "message": output, "hint": output, "where": {}}
    run = make_run(page.store.directory, state="failed", error=error)
    assert_harmless(train_step.updates(page, run, "en")["status"])


def test_a_hostile_table_is_text() -> None:
    frame = pandas.DataFrame({HOSTILE: [HOSTILE], "label": [HOSTILE]})
    source = Source(HOSTILE, "csv", encoding=HOSTILE, delimiter=HOSTILE, notes=(Text(HOSTILE, HOSTILE),))
    columns = {"text": HOSTILE, "label": "label"}
    config = RunConfig.from_dict({"data": {"train": f"/x/{HOSTILE}"}})
    table = Table(frame, source, [1])
    html = data_step.view_html(TAB, config, {"train": table}, columns, "en")
    assert "&lt;img" in html
    assert_harmless(html)
    assert_harmless(data_step.source_html(config, "en"))
    finding = Finding("x", "warning", Text(HOSTILE, HOSTILE), 1, (Place(HOSTILE, 1, HOSTILE, HOSTILE),))
    result = CheckResult("classification", {}, {}, {}, {}, [finding])
    assert_harmless(data_step.findings_html(result, [], "en"))


def test_a_hostile_answer_and_error_are_text() -> None:
    answer = {"label": HOSTILE, "confidence": 0.9, "probabilities": {HOSTILE: 0.9, "b": 0.1}, "windows": 2}
    assert_harmless(TAB.answers.one({"text": HOSTILE}, answer, answer, "en"))
    assert_harmless(TAB.answers.many([{"text": HOSTILE}], [answer], "en"))
    assert_harmless(markup.error_panel(UserError("x", Text(HOSTILE, HOSTILE), Text(HOSTILE, HOSTILE)), "en"))


@pytest.mark.parametrize("run_id", ["", "../x", "/etc", "20260101-000000-00000000", "a\x00b", HOSTILE])
def test_a_run_id_is_never_a_path(page: Page, run_id: str) -> None:
    with pytest.raises(RunProblem):
        page.open_run(run_id, None)


def test_an_upload_is_known_by_a_random_name(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    source = tmp_path / "données 数据.csv"
    source.write_text("a", encoding="utf-8")
    first, second = uploads.keep(source), uploads.keep(source)
    assert first != second
    source.unlink()  # Gradio cleans its folder; the copy stays
    assert uploads.path(first).read_text(encoding="utf-8") == "a"
    assert uploads.name(first) == "données 数据.csv"
    for wrong in ("", "..", first + "/..", first.upper() + "x", None):
        with pytest.raises(FileProblem):
            uploads.path(wrong)  # type: ignore[arg-type]


def test_a_report_file_is_taken_away_as_a_copy(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    run = make_run(page.store.directory)
    write_report(run, some_report())
    given = export.download(run, "report", "report.json")
    assert Path(given["value"]).is_relative_to(tmp_path / "gradio")
    assert export.download(run, "report", "missing.html")["interactive"] is False
