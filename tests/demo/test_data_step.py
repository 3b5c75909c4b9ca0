"""The data block without a browser: several files, a workbook's sheets, a hub data set, rows as they are shown.

Run: python -m pytest tests/demo/test_data_step.py
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import gradio as gr
import huggingface_hub.constants
import openpyxl
import pytest

from demo import data_preview
from demo.page import Page
from demo.parts import data_step, task_tab
from demo.parts.preview import preview_html
from demo.parts.wiring import Wiring
from demo.tabs import TABS, classification
from engine.assets import catalogue
from engine.config import DataConfig, RunConfig
from engine.core.settings import Settings
from engine.data import load
from engine.data.columns import guess_columns
from engine.data.load import read_table
from engine.tasks import TASKS
from tests.engine.data.hub_server import HubServer, Repo

TOKEN = "hf_visitors_own"
ROWS = "review,stars\n" + "".join(f"A rather {w} film number {i},{w}\n" for i in range(20) for w in ("good", "bad"))


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page.from_settings(Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs"))


@pytest.fixture
def scene(page: Page) -> Wiring:
    with gr.Blocks():
        page.language = gr.Radio(["en", "zh-CN"], value="en")
        return Wiring(page, task_tab.build(page, classification.TAB))


def values(scene: Wiring, **changes: Any) -> list[Any]:
    changed = {f"data.{name}": value for name, value in {"example": "", **changes}.items()}
    return [changed.get(path, component.value) for path, component in scene.fields.items()]


def by_source(answer: list[Any]) -> dict[str, Any]:
    return dict(zip(data_step.SOURCE_FIELDS, answer, strict=False))


def written(folder: Path, **files: str) -> list[str]:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return [str(folder / f"{name}.csv") for name in files]


def test_several_files_at_once_are_told_apart_by_their_names(scene: Wiring, page: Page, tmp_path: Path) -> None:
    given = written(tmp_path / "given", my_test=ROWS, my_train=ROWS * 2, my_dev=ROWS)
    chosen = by_source(scene.keep_upload("en", given))
    assert {split: page.uploads.name(chosen[split]) for split in ("train", "validation", "test")} == {
        "train": "my_train.csv",
        "validation": "my_dev.csv",
        "test": "my_test.csv",
    }
    view = scene.read_data("en", *values(scene, **{split: chosen[split] for split in ("train", "validation", "test")}))[
        1
    ]
    assert "40 for the test" in view
    with pytest.raises(gr.Error, match=r"a\.csv.*b\.csv"):
        scene.keep_upload("en", written(tmp_path / "unclear", a=ROWS, b=ROWS))


def test_another_source_takes_nothing_over_from_the_last(scene: Wiring, tmp_path: Path) -> None:
    chosen = by_source(scene.keep_upload("en", written(tmp_path / "given", reviews=ROWS)))
    assert {name for name, value in chosen.items() if value} == {"train"}


def test_what_was_found_in_the_file_is_offered_to_be_overruled(scene: Wiring, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "semi.csv"
    path.write_bytes("内容;情感\n很好;正面\n很差;负面\n不错;正面\n".encode("gb18030"))
    token = page.uploads.keep(path)
    answer = dict(zip(scene.read_data_outputs, scene.read_data("en", *values(scene, train=token)), strict=True))
    encoding, delimiter, sheet = (answer[component] for component in scene.tab.data.reading())
    assert encoding["choices"][0] == ("Automatic: gb18030", "")
    assert delimiter["choices"][0] == ("Automatic: Semicolon ;", "")
    assert sheet["visible"] is False
    wrong = scene.read_data("en", *values(scene, train=token, encoding="utf-8"))[1]
    assert "tb-panel-error" in wrong and "utf-8" in wrong
    assert "很好;正面" in scene.read_data("en", *values(scene, train=token, delimiter="tab"))[1]


def test_a_workbook_with_several_sheets_lets_one_be_chosen(scene: Wiring, page: Page, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    for title, word in (("Notes", "note"), ("Reviews 评论", "film")):
        sheet = book[title] if title in book.sheetnames else book.create_sheet(title)
        sheet.append(["text", "label"])
        for i in range(6):
            sheet.append([f"a {word} number {i}", "ab"[i % 2]])
    path = tmp_path / "two.xlsx"
    book.save(path)
    token = page.uploads.keep(path)
    answer = dict(zip(scene.read_data_outputs, scene.read_data("en", *values(scene, train=token)), strict=True))
    picker = answer[scene.fields["data.sheet"]]
    assert picker["visible"] is True
    assert [value for _, value in picker["choices"]] == ["", "Notes", "Reviews 评论"]
    assert "a note number 0" in answer[scene.tab.data.view]
    assert "a film number 0" in scene.read_data("en", *values(scene, train=token, sheet="Reviews 评论"))[1]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lines = "".join(json.dumps({"text": f"a text of {i}", "label": "xy"[i % 2]}) + "\n" for i in range(12)).encode()
    card = b"---\nconfigs:\n- config_name: en\n  data_files: en/*.jsonl\n- config_name: de\n  data_files: de/*.jsonl\n---\n"
    server = HubServer(
        {
            "owner/plain": Repo({"data/train.jsonl": lines, "data/dev.jsonl": lines}),
            "owner/two": Repo({"README.md": card, "en/train.jsonl": lines, "de/train.jsonl": lines}),
            "owner/private": Repo({"train.jsonl": lines}, token=TOKEN),
            "owner/coded": Repo({"coded.py": b"raise SystemExit"}),
        }
    )
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", server.endpoint)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    template = server.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", server.endpoint)
    huggingface_hub.HfFileSystem.clear_instance_cache()
    yield server
    huggingface_hub.HfFileSystem.clear_instance_cache()
    server.close()


def ask(scene: Wiring, name: str, token: str = "", config: str = "", train: str = "") -> dict[Any, Any]:
    answer = scene.query_hub("en", name, token, "", config, train, "", "")
    return dict(zip(scene.hub_outputs, answer, strict=True))


def test_the_hub_fills_the_pickers_and_becomes_the_source(scene: Wiring, hub: HubServer) -> None:
    answer = ask(scene, " owner/plain ")
    assert answer[scene.fields["data.hub"]] == "owner/plain"
    assert answer[scene.fields["data.hub_config"]]["choices"] == ["default"]
    assert answer[scene.fields["data.hub_train"]]["value"] == "train"
    validation = answer[scene.fields["data.hub_validation"]]
    assert validation["value"] == "validation"
    assert [value for _, value in validation["choices"]] == ["train", "validation", "-"]
    assert answer[scene.fields["data.hub_test"]]["value"] == "-"
    chosen = {
        "hub": "owner/plain",
        "hub_config": "default",
        "hub_train": "train",
        "hub_validation": "-",
        "hub_test": "-",
    }
    view = scene.read_data("en", *values(scene, **chosen))[1]
    assert "12 rows" in view and "for validation" not in view and "a text of 0" in view


def test_a_configuration_is_chosen_before_anything_is_read(scene: Wiring, hub: HubServer) -> None:
    answer = ask(scene, "owner/two")
    assert answer[scene.fields["data.hub_config"]] == gr.update(choices=["en", "de"], value="")
    assert "Choose one of them" in scene.read_data("en", *values(scene, hub="owner/two"))[1]
    chosen = ask(scene, "owner/two", config="de")
    assert chosen[scene.fields["data.hub_config"]]["value"] == "de"
    assert chosen[scene.fields["data.hub_train"]]["value"] == "train"


def test_a_private_set_is_kept_as_a_file_and_its_token_nowhere(
    scene: Wiring, page: Page, hub: HubServer, tmp_path: Path
) -> None:
    assert "is private" in ask(scene, "owner/private")[scene.tab.data.view]
    answer = ask(scene, "owner/private", TOKEN)
    assert answer[scene.fields["data.hub"]] == ""
    token = answer[scene.fields["data.train"]]
    assert page.uploads.name(token) == "owner--private@0123456.train.jsonl"
    assert len(read_table(page.uploads.path(token))) == 12
    assert not any(TOKEN in str(value) for value in answer.values())
    assert not any(TOKEN.encode() in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert scene.tab.data.hub.token not in scene.inputs  # no field of a run, so in no draft
    assert scene.tab.data.hub.token.type == "password"


def test_what_the_hub_refuses_is_said_and_nothing_is_lost(scene: Wiring, hub: HubServer) -> None:
    for name, output in (("owner/coded", "coded.py"), ("no id", "no id"), ("", "dair-ai/emotion")):
        answer = ask(scene, name)
        assert output in answer[scene.tab.data.view]
        assert answer[scene.fields["data.train"]] == gr.skip()


# Rows and pictures of every task -------------------------------------------------------------------------------------------


def table_of(tmp_path: Path, task: str, records: list[dict[str, Any]]):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    table = read_table(path, task=TASKS[task])
    return RunConfig(task=task, data=DataConfig(train=str(path))), table, guess_columns(table, TASKS[task])


def test_entities_are_marked_in_their_sentence(tmp_path: Path) -> None:
    rows = [
        {"text": "nothing here", "spans": []},
        {"text": "<b>Ann</b> met Bob", "spans": [{"start": 3, "end": 6, "label": "PER<"}, {"start": 15, "end": 18, "label": "PER<"}]},
    ]  # fmt: skip
    config, table, columns = table_of(tmp_path, "ner", rows)
    html = preview_html(TABS[config.task], config, table, columns, "en")
    assert '&lt;b&gt;<mark class="tb-entity tb-e' in html
    assert 'title="PER&lt;">Ann<small>PER&lt;</small></mark>&lt;/b&gt;' in html
    assert "nothing here" not in html
    balance = TABS["ner"].overview(config, table, columns, "en")
    assert "Types of entities: 1" in balance and "2 entities; rows without any: 1 of 2." in balance


def test_an_answer_is_marked_in_its_passage(tmp_path: Path) -> None:
    context = "很长的开头。" * 40 + "北京是中国的首都。" + "结尾。" * 80
    start = context.index("北京")
    rows = [
        {"context": context, "question": "中国的首都是哪里？", "answers": {"text": ["北京"], "answer_start": [start]}},
        {"context": context, "question": "人口是多少？", "answers": {"text": [], "answer_start": []}},
    ]
    config, table, columns = table_of(tmp_path, "qa", rows)
    html = preview_html(TABS[config.task], config, table, columns, "zh-CN")
    assert '<mark class="tb-hit">北京</mark>' in html and html.count("…") >= 2
    assert "中国的首都是哪里？" in html and "人口是多少？" in html
    overview = TABS["qa"].overview(config, table, columns, "zh-CN")
    assert "2 个问题" in overview and "50%" in overview


def test_the_length_of_summaries_is_shown(tmp_path: Path) -> None:
    rows = [{"document": "word " * 40, "summary": "word " * n} for n in (1, 3, 30)]
    config, table, columns = table_of(tmp_path, "summarization", rows)
    html = TABS["summarization"].overview(config, table, columns, "en")
    assert html.count("33%") == 3
    assert "word word" in preview_html(TABS[config.task], config, table, columns, "en")


def test_a_task_whose_columns_are_missing_shows_nothing_false(tmp_path: Path) -> None:
    config, table, columns = table_of(tmp_path, "ner", [{"text": "a sentence of words"}] * 3)
    assert TABS["ner"].overview(config, table, columns, "en") == ""
    assert "a sentence of words" in preview_html(TABS[config.task], config, table, columns, "en")
    assert TABS["classification"].overview(RunConfig(), table, {}, "en") == ""


def test_a_separator_of_labels_is_one_click(scene: Wiring, page: Page, tmp_path: Path) -> None:
    rows = "text,label\n" + "".join(
        f"message number {i} of some words,{['up;new', 'up', 'new'][i % 3]}\n" for i in range(60)
    )
    token = page.uploads.keep(written(tmp_path / "given", several=rows)[0])
    form = values(scene, train=token)
    assert 'data-pick="split_labels"' in scene.check_data("en", *form)
    chosen = scene.apply_fix("en", gr.SelectData(None, {"index": 0, "value": "split_labels"}), *form)
    place = list(scene.fields).index("data.label_separator")
    assert chosen[place] == ";"
    form[place] = ";"
    assert "2 classes" in scene.show_data("en", *_with_columns(scene, form))
    assert 'data-pick="split_labels"' not in scene.check_data("en", *form)


def _with_columns(scene: Wiring, form: list[Any]) -> list[Any]:
    """The form with the columns as they were guessed."""
    guessed = {"data.columns.text": "text", "data.columns.label": "label"}
    return [guessed.get(path, value) for path, value in zip(scene.fields, form, strict=True)]


def test_an_upload_is_parsed_once_for_every_model_column_and_fix(
    scene: Wiring, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Path] = []
    monkeypatch.setattr(load, "read_bytes", lambda path, limits: reads.append(path) or path.read_bytes())
    token = page.uploads.keep(written(tmp_path / "given", reviews=ROWS + ROWS.partition("\n")[2])[0])
    form = values(scene, train=token)
    assert "80 rows" in scene.read_data("en", *form)[1]
    paths = list(scene.fields)
    changes = ({}, {"model.id": "e5-small"}, {"model.max_length": "16"}, {"data.columns.text": "review"})
    result = []
    for change in (*changes, {"data.fixes": "drop_duplicates"}):
        changed = [change.get(path, value) for path, value in zip(paths, form, strict=True)]
        result.append(scene.check_data("en", *changed))
        scene.show_data("en", *changed)
    assert len(reads) == 1
    assert result[0] == result[3] and result[0] != result[4]
    assert 'data-pick="drop_duplicates"' in result[0]


def test_the_page_shows_the_model_that_a_run_would_choose(scene: Wiring, page: Page, tmp_path: Path) -> None:
    rows = "text,label\n" + "".join(f"第{i}个商品的按钮坏了，我想要退货,{'ab'[i % 2]}\n" for i in range(60))
    form = values(scene, train=page.uploads.keep(written(tmp_path / "given", chinese=rows)[0]))
    config = scene.config(form)
    assert data_preview.model_of(page, config) == "auto"
    scene.check_data("en", *form)
    assert data_preview.model_of(page, config) == data_preview.check(page, config).model == "e5-small"


def test_an_example_is_shown_with_the_columns_of_the_catalogue(
    scene: Wiring, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = replace(catalogue.EXAMPLES["help-desk-en"], columns={"text": "label", "label": "text"})
    monkeypatch.setitem(catalogue.EXAMPLES, "help-desk-en", example)
    answer = dict(
        zip(scene.read_data_outputs, scene.read_data("en", *values(scene, example="help-desk-en")), strict=True)
    )
    chosen = {role: answer[scene.fields[f"data.columns.{role}"]]["value"] for role in ("text", "label")}
    assert chosen == {"text": "label", "label": "text"}
