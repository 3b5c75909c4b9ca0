"""What the summarization tab shows and does, without a browser. Run: python -m pytest tests/demo/test_summarization_tab.py"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from fake_run import make_run

from demo.page import Page
from demo.parts import model_step, task_tab
from demo.parts.report_view import picked_html
from demo.parts.wiring import Wiring
from demo.stop_events import StopEvents
from demo.tabs import summarization
from engine.core.settings import Settings
from engine.report.html import line_html, sections_html
from engine.tasks import TASKS
from engine.tasks.summarization.origins import marked

HOSTILE = '<img src=x onerror="hurt()">'
DOCUMENT = "Anna Berg ordered three lamps in May and paid 1,250 euros for them."


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page.from_settings(Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs"))


@pytest.fixture
def scene(page: Page) -> Wiring:
    with gr.Blocks():
        page.language = gr.Radio(["en", "zh-CN"], value="en")
        wiring = Wiring(page, task_tab.build(page, summarization.TAB))
        wiring.connect()
        return wiring


def bare(markup: str) -> str:
    return re.sub(r"<[^>]*>", "", markup)


def marked_html(document: str, text: str) -> str:
    return line_html(marked(document, text), "en")


def marks(document: str, text: str) -> list[tuple[str, str]]:
    return re.findall(r'<mark class="tb-m-(\w+)">([^<]*)</mark>', marked_html(document, text))


def test_words_are_marked_by_where_they_come_from() -> None:
    assert marks(DOCUMENT, "She ordered three lamps in May, says Peter, for 999 euros.") == [
        ("new", "She"),
        ("copied", "ordered three lamps in May"),
        ("new", "says"),
        ("strange", "Peter"),
        ("strange", "999"),
    ]
    assert marks("今天天气很好，我们去公园。", "今天天气真好") == [("copied", "今天天气"), ("new", "真")]
    assert marks(DOCUMENT, "") == []


@pytest.mark.parametrize("text", [HOSTILE, "a  b\n\nc", "emoji \U0001f389 好 & <b>", DOCUMENT])
def test_a_marked_text_is_the_text_and_nothing_of_it_is_markup(text: str) -> None:
    shown = marked_html(HOSTILE, text)
    assert "<img" not in shown and "<b>" not in shown
    assert bare(shown) == text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;")


def test_a_growing_answer_says_so_and_a_whole_one_has_its_length() -> None:
    row = {"document": DOCUMENT}
    waiting = summarization.answer_html(row, None, None, "en")
    assert "tb-cursor" in waiting and "Reading" in waiting
    part = summarization.answer_html(row, {"summary": "Anna", "parts": 1, "cut": False, "growing": True}, None, "en")
    assert "tb-cursor" in part and "words, from" not in part
    whole = {"summary": "Anna ordered lamps.", "parts": 3, "cut": False, "growing": False}
    shown = summarization.answer_html(row, whole, {**whole, "summary": HOSTILE}, "en")
    assert "tb-cursor" not in shown and "3 words, from 14" in shown and "3 parts" in shown and "<img" not in shown
    assert "只读了开头" in summarization.answer_html(row, {**whole, "parts": 1, "cut": True}, None, "zh-CN")


def example(prediction: str = "Peter paid 7 euros") -> dict[str, Any]:
    return {
        "row": 4,
        "inputs": {"document": DOCUMENT},
        "target": ["Lamps were ordered.", HOSTILE],
        "prediction": prediction,
        "untuned": HOSTILE,
        "scores": {"rougeL": 0.25},
        "strange": {"numbers": ["7"], "names": ["Peter"]},
    }


def small_report() -> dict[str, Any]:
    names = ("words", "compression", "novel_1", "novel_2", "novel_3", "repetition", "strange_numbers", "strange_names")
    system = {"values": dict.fromkeys(names, 0.5), "intervals": {key: [0.25, 0.75] for key in names}}
    label = {"en": HOSTILE, "zh": HOSTILE}
    return {
        "task": "summarization",
        "counted": "words",
        "headline": {"metric": "rougeL", "label": {"en": "ROUGE-L", "zh": "ROUGE-L"}},
        "measures": [{"name": "tuned", "label": label, **system}],
        "strange_count": {"numbers": 1, "names": 0},
        "examples": {"worst": [example()], "random": [], "best": [example(HOSTILE)]},
    }


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_report_shows_measures_groups_and_rows_escaped(tmp_path: Path, language: str) -> None:
    result = small_report()
    tmp_path.joinpath("predictions.jsonl").write_text(
        "".join(json.dumps(one) + "\n" for one in (example(), {**example(), "strange": {"numbers": [], "names": []}}))
    )

    def sections(report: dict[str, Any]) -> str:
        return sections_html(TASKS["summarization"].report_sections(report), language, picks=True)

    opened = picked_html(tmp_path, result, "numbers", language)
    assert opened.count("<li>") == 1 and "Peter" in opened
    assert picked_html(tmp_path, result, "best", language).count("<li>") == 1
    groups = sections(result)
    assert set(re.findall(r'data-pick="(\w+)"', groups)) == {"numbers", "names", "worst", "random", "best"}
    assert re.search(r'data-pick="names" disabled', groups) and not re.search(r'data-pick="numbers" disabled', groups)
    chinese = sections({**result, "counted": "characters"})
    assert ("拉丁" in chinese) == (language == "zh-CN") and "Latin" not in groups and "拉丁" not in groups
    assert picked_html(tmp_path, result, "no such group", language) == ""
    for html in (opened, groups):
        assert "<img" not in html


def test_each_visitor_has_a_stop_of_their_own() -> None:
    stops = StopEvents()
    mine, theirs = stops.begin("me", "summarization"), stops.begin("them", "summarization")
    stops.stop("me", "summarization")
    assert mine.is_set() and not theirs.is_set()
    again = stops.begin("them", "summarization")
    assert theirs.is_set() and not again.is_set(), "a new request ends the one before it"
    stops.stop("nobody", "summarization")


class SlowModel:
    """Writes a word at a time, and stops when told."""

    def __init__(self, page: Page) -> None:
        self.page, self.styles = page, []

    def stream(self, row: dict[str, str], stop: threading.Event, base: bool = False, **style: Any) -> Iterator[dict]:
        self.styles.append(style)
        text = ""
        for word in ("one", "two", "three"):
            if stop.is_set():
                break
            text += f" {word}" if text else word
            yield {"summary": text, "parts": 1, "cut": False, "growing": True, "stopped": False}
        yield {"summary": text, "parts": 1, "cut": False, "growing": False, "stopped": stop.is_set()}


def asked(scene: Wiring, page: Page, document: str = DOCUMENT) -> tuple[Any, SlowModel, Any]:
    run, model, request = make_run(page.settings.runs_dir), SlowModel(page), SimpleNamespace(session_hash="me")
    page.predictors.get(run.id, lambda: model)
    return scene.write("en", run.id, request, 64, 2, 0.5, document), model, request


def test_both_models_write_as_one_watches(scene: Wiring, page: Page) -> None:
    stream, model, _ = asked(scene, page)
    shown = list(stream)
    assert "Reading" in shown[0][0] and shown[0][1]["interactive"] is True
    texts = [bare(html) for html, _ in shown]
    assert any("one two" in text and "three" not in text for text in texts)
    assert "Before tuning" in texts[-1] and texts[-1].count("one two three") == 2
    assert shown[-1][1]["interactive"] is False, "there is nothing to stop any more"
    assert model.styles == [{"max_new_tokens": 64, "beams": 2, "temperature": 0.5}] * 2


def test_the_stop_button_ends_both(scene: Wiring, page: Page) -> None:
    stream, model, request = asked(scene, page)
    next(stream)
    next(stream)
    scene.stop_writing(request)
    rest = list(stream)
    assert len(model.styles) == 1, "the untuned model was asked after the stop"
    assert "Stopped after" in bare(rest[-1][0])


def test_an_empty_text_is_told(scene: Wiring, page: Page) -> None:
    stream, _, _ = asked(scene, page, "  ")
    with pytest.raises(gr.Error):
        list(stream)


def test_the_tab_offers_what_can_write(scene: Wiring, page: Page) -> None:
    cards = model_step.cards_html(page, TASKS["summarization"], "smollm2", "en")
    assert set(re.findall(r'data-pick="([\w-]+)"', cards)) == {"smollm2"}
    offered = [value for _, value in scene.fields["method.name"].choices]
    assert tuple(offered) == TASKS["summarization"].methods and "head" not in offered
    assert scene.fields["method.name"].value == "lora"
    assert "generation.prompt" in scene.fields and "training.class_weights" not in scene.fields


def described(scene: Wiring, language: str, **changed: Any) -> dict[str, Any]:
    """What the form says of itself, by component."""
    values = [changed.get(path, component.value) for path, component in scene.fields.items()]
    return dict(zip(map(id, scene.describe_outputs), scene.describe(language, *values), strict=True))


def test_an_empty_prompt_shows_the_one_that_would_be_taken(scene: Wiring, page: Page, tmp_path: Path) -> None:
    prompt, target = (scene.fields[f"generation.{name}"] for name in ("prompt", "target"))
    edit = scene.tab.model.edit
    output = described(scene, "en", **{"data.example": "help-desk-summaries-en"})
    assert (
        output[id(prompt)]["placeholder"].startswith("Summarize the text")
        and "{document}" in output[id(prompt)]["placeholder"]
    )
    assert output[id(target)]["placeholder"] == "{summary}" and output[id(edit)]["visible"]

    table = tmp_path / "texts.csv"
    rows = "".join(f"今天天气很好，第{i}天我们去公园散步，看到了很多花。,天气很好\n" for i in range(30))
    table.write_text("document,summary\n" + rows, encoding="utf-8")
    chosen = {"data.example": "", "data.train": page.uploads.keep(str(table)), "data.columns.document": "document"}
    scene.read_data("en", *[chosen.get(path, component.value) for path, component in scene.fields.items()])
    for model, begins in (
        ("qwen3-0.6b", "请用一句话概括"),
        ("mt5-small", "summarize: "),
        ("Qwen/Qwen3-0.6B", "请用一句话概括"),
    ):
        output = described(scene, "zh-CN", **chosen, **{"model.id": model})
        assert output[id(prompt)]["placeholder"].startswith(begins)

    unknown = described(scene, "zh-CN", **{"model.id": "someone/model"})
    assert "按模型选择" in unknown[id(prompt)]["placeholder"] and not unknown[id(edit)]["visible"]


def test_the_automatic_prompt_can_be_edited(scene: Wiring) -> None:
    values = {path: component.value for path, component in scene.fields.items()}
    values |= {"data.example": "help-desk-summaries-en", "generation.target": "In short: {summary}"}
    prompt, target = scene.write_formats(*values.values())
    assert prompt.startswith("Summarize the text") and target == gr.skip(), "what was typed stays"
    values["generation.prompt"] = prompt
    assert not scene.describe("en", *values.values())[-1]["visible"], "there is nothing left to write out"
    assert scene.config(tuple(values.values())).generation.prompt == prompt
