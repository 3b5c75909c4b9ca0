"""What the named-entity tab shows, without a browser. Run: python -m pytest tests/demo/test_ner_tab.py"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from fake_run import make_run

from demo.page import Page
from demo.parts import task_tab
from demo.parts.marked import legend, marked
from demo.parts.report_view import picked_html
from demo.parts.wiring import Wiring
from demo.tabs import ner
from engine.core.settings import Settings
from engine.report.files import write_report
from engine.report.html import sections_html
from engine.schema import Example
from engine.tasks.model import EvaluationData, EvaluationSettings
from engine.tasks.ner.decode import Tagged
from engine.tasks.ner.model import Ner
from engine.tasks.ner.sections import ROWS_SHOWN, excerpts
from engine.tasks.ner.spec import NerSpec

EVIL = "<img src=x onerror=alert(1)>"


def rows(count: int, seed: int) -> list[Example]:
    rng = random.Random(seed)
    result = []
    for number in range(count):
        name, city = rng.choice(["Ann Lee", "李雷", EVIL]), rng.choice(["Paris", "New York"])
        text = f"{name} went to {city} ({number})"
        start = text.index(city)
        spans = (
            {"start": 0, "end": len(name), "label": "PER"},
            {"start": start, "end": start + len(city), "label": "LOC<b>"},
        )
        result.append(Example(number, {"text": text}, spans))
    return result


def answer(example: Example, rng: random.Random) -> Tagged:
    spans = []
    for span in example.target:
        kind, output = rng.random(), {**span, "score": rng.random()}
        if kind < 0.15:
            continue
        if kind < 0.3:
            output["label"] = "PER" if span["label"] != "PER" else "LOC<b>"
        elif kind < 0.45:
            output["end"] += 2
        spans.append(output)
    return Tagged(np.zeros(0), np.zeros(0), np.zeros((0, 5)), spans)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, dict[str, Any]]:
    rng, task = random.Random(1), Ner()
    train, validation, test = rows(30, 1), rows(10, 2), rows(80, 3)
    output = {
        name: [answer(example, rng) for example in examples] for name, examples in (("v", validation), ("t", test))
    }
    data = EvaluationData(
        EvaluationSettings(bootstrap_samples=100),
        task.outputs(train),
        train,
        validation,
        test,
        output["t"],
        output["t"],
        output["v"],
        {},
    )
    result, records = task.report(data)
    directory = tmp_path_factory.mktemp("report")
    write_report(result, directory, records)
    return directory, result


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_report_shows_types_kinds_and_examples_and_nothing_runs(written, language: str) -> None:
    directory, result = written
    shown = sections_html(NerSpec().report_sections(result), language, picks=True)
    assert EVIL not in shown and "LOC<b>" not in shown
    assert shown.count("tb-type") == 2 and "LOC&lt;b&gt;" in shown
    assert shown.count('class="tb-choice tb-pick"') == 5 and 'data-pick="missed"' in shown
    for group in result["errors"]:
        if not group["count"]:
            assert f'data-pick="{group["kind"]}" disabled' in shown
            continue
        opened = picked_html(directory, result, group["kind"], language)
        assert 0 < opened.count("<li>") <= min(group["count"], ROWS_SHOWN) and EVIL not in opened
        pair = picked_html(directory, result, f"{group['kind']}:0", language)
        assert 0 < pair.count("<li>") <= min(group["pairs"][0]["count"], ROWS_SHOWN)
    for name in ("report.html", "report.md", "report.zh-CN.md"):
        assert EVIL not in (directory / name).read_text(encoding="utf-8")


def test_several_errors_in_one_piece_of_text_are_shown_once() -> None:
    text = "Ann met Bob and Eve. " + "x " * 200 + "Dan"
    spans = [{"start": text.index(name), "end": text.index(name) + 3, "label": "PER"} for name in ("Ann", "Bob", "Dan")]
    row = {"row": 4, "inputs": {"text": text}, "target": spans, "prediction": []}
    pieces = excerpts([{**row, "error": {"kind": "missed", "gold": span, "given": None}} for span in spans])
    assert [len(errors) for _, _, errors in pieces] == [2, 1]


def test_an_answer_marks_the_text_exactly_and_safely() -> None:
    text = f"{EVIL} & 北京\n👩‍👩‍👧 end"
    start = text.index("北京")
    tuned = {
        "entities": [{"start": start, "end": start + 2, "label": "<LOC>", "text": "北京", "score": 0.98}],
        "types": ["<LOC>", "PER"],
        "windows": 3,
    }
    base = {"entities": [], "types": ["<LOC>", "PER"], "windows": 3}
    html = ner.answer_html({"text": text}, tuned, base, "en")
    assert EVIL not in html and "&lt;img" in html
    assert '">北京<small>&lt;LOC&gt;</small></mark>' in html and "98%" in html
    assert html.count("<mark") == 1 and "No entity found." in html and "3 windows" in html
    assert "👩‍👩‍👧 end" in html


def test_a_file_of_answers_is_summed_up() -> None:
    entity = {"start": 0, "end": 5, "label": "LOC", "text": "Paris", "score": 0.9}
    html = ner.batch_html(
        [{"text": "Paris is"}, {"text": "none"}],
        [{"entities": [entity], "types": ["LOC"]}, {"entities": [], "types": ["LOC"]}],
        "en",
    )
    assert "LOC" in html and "<mark" in html and "none" in html
    assert "没有找到实体" in ner.batch_html([{"text": "none"}], [{"entities": [], "types": ["LOC"]}], "zh-CN")


def test_a_long_text_is_cut_where_it_is_only_previewed() -> None:
    assert marked("a" * 50, [], {}, start=3, end=10) == "… aaaaaaa …"
    assert legend({}, {}) == "" and legend({"B": 1, "A": 12}, {"A": 0, "B": 1}).index("A") < 200


def test_what_is_shown_of_a_test_row_are_its_types() -> None:
    assert ner.target_of({"target": [{"label": "B"}, {"label": "A"}, {"label": "B"}]}) == "A, B"
    assert ner.target_of({"target": []}) == ""


def test_typing_asks_only_when_there_is_a_run_and_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page.from_settings(Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs"))
    with gr.Blocks():
        page.language = gr.Radio(["en", "zh-CN"], value="en")
        scene = Wiring(page, task_tab.build(page, ner.TAB))
    requests: list[tuple] = []
    monkeypatch.setattr(scene, "ask", lambda *given: requests.append(given) or "answered")
    run = make_run(tmp_path / "runs", state="running")
    assert scene.ask_as_typed("en", "", None, "text") == "" and scene.ask_as_typed("en", run.id, None, "  ") == ""
    assert scene.ask_as_typed("en", run.id, None, "text") == "", (
        "it has no model yet, and nobody is told off for typing"
    )
    run.update(state="completed")
    run.path("model").mkdir()
    assert scene.ask_as_typed("en", run.id, None, "text") == "answered" and len(requests) == 1
    assert ".conll" in scene.tab.playground.downloads
