"""A task of the tests has its tab from an entry in TASKS and one in TABS. Run: python -m pytest tests/demo/test_toy_tab.py"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fake_run import make_run

from demo.page import Page
from demo.parts import task_tab
from demo.parts.tab_spec import AnswerView, TabSpec
from demo.parts.wiring import Wiring
from demo.tabs import TABS, runs
from demo.ui import build_demo
from engine.core.settings import Settings
from engine.core.text import Text
from engine.tasks import TASKS
from tests.engine.export.toy.spec import ToySpec

CSV = "statement,verdict\n" + "".join(f"Statement {i} of the toy,{('true', 'false')[i % 2]}\n" for i in range(20))

TOY = TabSpec(
    name="toy",
    title=Text("Toy", "玩具"),
    promise=Text("A task of the tests.", "测试用的任务。"),
    answers=AnswerView(
        one=lambda row, tuned, untuned, language: f"<p>{language}</p>",
        many=lambda rows, answers, language: "",
        target=lambda row: str(row["target"]),
    ),
)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setitem(TASKS, "toy", ToySpec())
    monkeypatch.setitem(TABS, "toy", TOY)
    return Page.from_settings(Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs"))


def test_the_page_has_the_tab(page: Page) -> None:
    demo = build_demo(page.settings, page=page)
    ids = {component.elem_id for component in demo.blocks.values() if getattr(component, "elem_id", None)}
    for name in ("toy-start", "toy-method", "toy-column-label", "toy-try-text", "toy-ask", "toy-report"):
        assert name in ids
    assert "toy-try-text_pair" not in ids and "toy-generation" not in ids
    shown = {
        component._id: updates
        for component, updates in zip(page.labels.components, page.labels.updates("zh-CN"), strict=True)
    }
    assert {"label": "玩具", "__type__": "update"} in shown.values()


def test_its_tab_reads_a_table_and_lists_its_runs(page: Page, tmp_path: Path) -> None:
    with gr.Blocks():
        page.language = gr.Radio(["en", "zh-CN"], value="en")
        tab = Wiring(page, task_tab.build(page, TOY))
    assert tab.opens_with("data.example", "en") == "", "it has no example"
    path = tmp_path / "toy.csv"
    path.write_text(CSV, encoding="utf-8")
    changed: dict[str, Any] = {"data.train": page.uploads.keep(path)}
    values = [changed.get(name, component.value) for name, component in tab.fields.items()]
    outputs = dict(
        zip((component._id for component in tab.read_data_outputs), tab.read_data("en", *values), strict=True)
    )
    view = outputs[tab.tab.data.view._id]
    assert "Statement 0 of the toy" in view and "Text<small>statement</small>" in view
    run = make_run(page.store.directory, state="completed", task="toy")
    assert "Toy" in runs.list_html(page, "en") and run.id in runs.list_html(page, "en")
