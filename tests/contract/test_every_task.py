"""Every task goes from a table through check, training, report, predictions and export to its tab: the tasks of TASKS, and one that
only the tests know. Run: python -m pytest tests/contract/test_every_task.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from demo.page import Page
from demo.parts import task_tab
from demo.parts.wiring import Wiring
from demo.tabs import TABS, runs
from demo.ui import build_demo
from engine.assets import EXAMPLES
from engine.config import RunConfig
from engine.data.columns import guess_columns
from engine.data.load import read_table
from engine.export.package import make_zip
from engine.export.source import ExportSource
from engine.export.space import write_space
from engine.inference.batch_predict import predict_table
from engine.inference.score_file import judge_file
from engine.report.common import report_sections
from engine.report.files import load_report, render_html, render_markdown
from engine.sections import Bars, Choices, Matrix, Section, Table, picks_in
from engine.tasks.model import task_model
from tests.contract.conftest import TOY, Journey
from tests.engine.export.test_space_folder import running
from tests.fresh import fresh_environment, requirement_lines

pytestmark = pytest.mark.training


@pytest.fixture
def report(journey: Journey) -> dict[str, Any]:
    return load_report(journey.run.path("report"))


def test_its_columns_are_guessed_and_its_rows_read(journey: Journey) -> None:
    dataset = journey.dataset
    assert guess_columns(dataset.tables["train"], journey.task).items() >= journey.columns.items()
    examples = dataset.examples["train"]
    assert len(examples) >= 90 and set(examples[0].inputs) >= set(journey.task.required_inputs)


def test_its_data_is_checked(journey: Journey) -> None:
    result = journey.check.to_dict()
    assert not any(finding.blocks_training for finding in journey.check.findings)
    assert json.loads(json.dumps(result)) == result
    for finding in journey.check.findings:
        assert finding.message.en and finding.message.zh


def test_its_run_records_what_the_check_saw(journey: Journey) -> None:
    facts = journey.run.manifest.facts
    assert facts["columns"] == journey.dataset.columns["train"]
    assert sum(facts["rows"].values()) == len(journey.dataset.examples["train"])
    assert journey.run.config == journey.config
    assert RunConfig.from_yaml(journey.run.config.to_yaml()) == journey.config


def test_its_report_has_the_common_parts_and_its_own(journey: Journey, report: dict[str, Any]) -> None:
    task = journey.task
    assert report["task"] == task.name
    assert report["headline"]["metric"] in task.metrics and set(report["test"]) & set(task.metrics)
    assert 0 <= report["headline"]["low"] <= report["headline"]["value"] <= report["headline"]["high"] <= 1
    assert report["baselines"] and report["run"]["history"]
    own = task.report_sections(report)
    ids = [section.id for section in report_sections(report)]
    assert own and {section.id for section in own} <= set(ids)
    assert ids[0] == "verdict" and ids[-1] == "run" and len(ids) == len(set(ids))


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_html_and_markdown_show_the_same_sections(journey: Journey, report: dict[str, Any], language: str) -> None:
    html, markdown = render_html(report, language), render_markdown(report, language)
    titles = [section.title for section in report_sections(report) if section.title]
    assert [line.removeprefix("## ") for line in markdown.splitlines() if line.startswith("## ")] == [
        title.in_language(language) for title in titles
    ]
    for title in titles:
        assert title.in_language(language) in html
    for name in ("report.html", "report.md", "report.zh-CN.md"):
        assert journey.run.path("report", name).is_file()


def test_every_pick_of_its_report_leads_to_rows(journey: Journey, report: dict[str, Any]) -> None:
    directory = journey.run.path("report")
    picks = [pick for section in journey.task.report_sections(report) for pick in picks_of(section)]
    for pick in picks:
        assert journey.task.picked_rows(directory, report, pick).blocks
    assert bool(picks) == any(picks_in(section) for section in journey.task.report_sections(report))


def picks_of(section: Section) -> list[str]:
    """The picks of blocks that are not nested."""
    result: list[str] = []
    for block in section.blocks:
        if isinstance(block, Bars):
            result += [bar.pick for bar in block.bars if bar.pick]
        elif isinstance(block, Choices):
            result += [choice.pick for choice in block.choices]
        elif isinstance(block, Matrix) and block.pickable:
            result += [f"{block.names[0]},{block.names[-1]}"]
        elif isinstance(block, Table):
            result += [pick for row in block.rows for cell in row if (pick := getattr(cell, "pick", ""))]
    return result


def test_it_answers_rows_and_files(journey: Journey, tmp_path: Path) -> None:
    predictor, task = journey.predictor, journey.task
    answers = predictor.predict(journey.rows)
    assert len(answers) == len(journey.rows) and predictor.knows_base
    assert len(predictor.predict(journey.rows[:1], base=True)) == 1
    frame = predict_table(predictor, read_table(journey.table, task=task))
    new = [name for name in frame.columns if name not in journey.dataset.tables["train"].columns]
    assert new == list(task_model(task).cells(answers, predictor.outputs))
    assert len(frame) == len(journey.dataset.tables["train"])


def test_another_labelled_file_is_scored(journey: Journey) -> None:
    scored = judge_file(journey.predictor, journey.table, journey.config)
    assert set(scored["test"]) <= set(journey.task.metrics) and scored["rows"] >= 90
    for name, (low, high) in scored["intervals"].items():
        assert low <= scored["test"][name] <= high


def test_its_export_gives_the_same_answers(journey: Journey, tmp_path: Path) -> None:
    with zipfile.ZipFile(make_zip(journey.run, tmp_path / "model.zip")) as archive:
        archive.extractall(tmp_path / "elsewhere")
    [folder] = (tmp_path / "elsewhere").iterdir()
    table = tmp_path / "rows.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in journey.rows), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "predict.py", "--file", str(table)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    there = [json.loads(line) for line in done.stdout.splitlines()]
    for row, ours, theirs in zip(journey.rows, journey.predictor.predict(journey.rows), there, strict=True):
        answer = {name: value for name, value in theirs.items() if name not in row}
        assert_close(ours, answer)


@pytest.mark.parametrize("task", [TOY], indirect=True)
def test_the_space_of_the_toy_task_answers(journey: Journey, tmp_path: Path) -> None:
    """The other tasks' Spaces are tested in tests/engine/export."""
    from gradio_client import Client

    source, folder = ExportSource.of(journey.run), tmp_path / "space"
    source.config.data.example = next(iter(EXAMPLES))
    write_space(source, folder)
    assert (folder / "tunebench_decode" / "contract_toy_decode.py").is_file()
    assert len(json.loads((folder / "about.json").read_text(encoding="utf-8"))["examples"]) == 3
    requirements = requirement_lines((folder / "requirements.txt").read_text(encoding="utf-8"))
    with running(folder, fresh_environment(tmp_path / "fresh", requirements)) as url:
        client = Client(url, verbose=False)
        [(name, endpoint)] = client.view_api(print_info=False, return_format="dict")["named_endpoints"].items()
        assert name == "/predict", "examples add no endpoint of their own"
        assert [parameter["parameter_name"] for parameter in endpoint["parameters"]] == ["sentence"]
        answer = client.predict(**journey.rows[0], api_name="/predict")
    assert_close(journey.predictor.predict(journey.rows[:1])[0], answer)


def assert_close(ours: Any, theirs: Any) -> None:
    """The same structure and words, numbers up to the order of sums."""
    if isinstance(ours, float) and isinstance(theirs, float):
        assert theirs == pytest.approx(ours, abs=1e-4)
    elif isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        for key in ours:
            assert_close(ours[key], theirs[key])
    elif isinstance(ours, list | tuple):
        for one, other in zip(ours, theirs, strict=True):
            assert_close(one, other)
    else:
        assert ours == theirs


@pytest.fixture
def page(journey: Journey) -> Page:
    return Page.from_settings(journey.settings)


@pytest.fixture
def tab(page: Page, journey: Journey) -> Wiring:
    with gr.Blocks():
        page.language = gr.Radio(["en", "zh-CN"], value="en")
        return Wiring(page, task_tab.build(page, TABS[journey.task.name]))


def test_its_tab_is_built(journey: Journey, page: Page) -> None:
    demo, name = build_demo(page.settings, page=page), journey.task.name
    ids = {component.elem_id for component in demo.blocks.values() if getattr(component, "elem_id", None)}
    inputs = [f"{name}-try-{role}" for role in journey.task.inputs]
    columns = [f"{name}-column-{role.name}" for role in journey.task.roles]
    for expected in (f"{name}-start", f"{name}-method", f"{name}-ask", f"{name}-report", *inputs, *columns):
        assert expected in ids
    assert (f"{name}-generation" in ids) == (journey.task.kind == "generative")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_its_tab_reads_the_table_and_checks_it(journey: Journey, page: Page, tab: Wiring, language: str) -> None:
    changed = {"data.train": page.uploads.keep(journey.table), "data.example": "", "model.id": "auto"}
    values = [changed.get(name, component.value) for name, component in tab.fields.items()]
    shown = dict(
        zip((component._id for component in tab.read_data_outputs), tab.read_data(language, *values), strict=True)
    )
    view = shown[tab.tab.data.view._id]
    assert view and "tb-panel-error" not in view
    for role, column in journey.columns.items():
        assert shown[tab.fields[f"data.columns.{role}"]._id]["value"] == column
    assert "tb-panel-error" not in tab.check_data(language, *values)
    plan, button, problem, *_ = tab.describe(language, *values)
    assert journey.table.name in plan and button["value"] and problem == ""


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_its_tab_shows_the_run_and_answers(journey: Journey, page: Page, tab: Wiring, language: str) -> None:
    request = SimpleNamespace(username=None, headers={}, session_hash="s", client=SimpleNamespace(host="127.0.0.1"))
    run_id, title = journey.run.id, TABS[journey.task.name].title.in_language(language)
    listed = runs.list_html(page, language)
    assert run_id in listed and title in listed
    updates = tab.show_results(language, run_id, request)
    text = json.dumps(updates, default=str, ensure_ascii=False)
    for section in journey.task.report_sections(load_report(journey.run.path("report"))):
        assert section.title.in_language(language) in text
    requests = [journey.rows[0].get(role, "") for role in tab.tab.playground.inputs]
    if tab.spec.streams:
        *_, (answer, _) = tab.write(language, run_id, request, 8, 1, 0.0, *requests)
    else:
        answer = tab.ask(language, run_id, request, *requests)
    assert answer and "tb-panel-error" not in answer
    suggested = tab.suggest(language, run_id, gr.SelectData(None, {"index": 0, "value": "0"}), request)
    assert suggested
    batch, *downloads = tab.answer_file(language, run_id, str(journey.table), request)
    assert "tb-panel-error" not in batch and any(update["visible"] for update in downloads)
