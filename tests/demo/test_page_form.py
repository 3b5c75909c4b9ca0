"""Every field of the page reaches RunConfig. Run: python -m pytest tests/demo/test_page_form.py"""

from __future__ import annotations

import runpy
import shlex
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import yaml

from demo import form
from demo.i18n import Labels
from demo.page import Page
from demo.parts import task_tab
from demo.parts.task_tab import TaskTab
from demo.tabs import classification, summarization
from demo.uploads import Uploads
from engine.assets import first_choice
from engine.config import RunConfig
from engine.core.errors import ConfigProblem, FileProblem
from engine.core.options import walk_options
from engine.core.settings import Settings
from engine.tasks import TASKS


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page.from_settings(Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs"))


@pytest.fixture(params=[classification.TAB, summarization.TAB], ids=lambda task: task.name)
def tab(request: pytest.FixtureRequest, page: Page) -> TaskTab:
    with gr.Blocks():
        page.language = gr.Radio(["en", "zh-CN"], value="en")
        return task_tab.build(page, request.param)


def other_value(field: form.Field, uploads: Uploads, tmp_path: Path) -> tuple[Any, Any]:
    """A value unlike the default: as the browser sends it, and as the configuration should have it."""
    option = field.option
    if field.path in form.FILES:
        source = tmp_path / f"{field.path}.csv"
        source.write_text("text,label\n", encoding="utf-8")
        token = uploads.keep(source)
        return token, str(uploads.path(token))
    if field.kind == "choice":
        value = option.choices[-1] if option.choices[-1] != field.default else option.choices[0]
        return value, value
    if field.kind == "switch":
        return not field.default, not field.default
    if field.kind == "maybe":
        return form.NO, False
    if field.kind == "list":
        return "drop_duplicates,mask_personal_data", ["drop_duplicates", "mask_personal_data"]
    if field.kind == "text":
        return "something", "something"
    if field.kind == "integer":
        value = int(option.low or 0) + 7
        return str(value), value
    value = (option.low or 0) + 0.25 * ((option.high or 4) - (option.low or 0))
    return f" {value!r} ", value


def test_the_page_has_a_field_for_every_field_of_run_config(tab: TaskTab) -> None:
    expected = {path for path, _, option in walk_options(RunConfig) if option.serves(tab.spec.task.kind)}
    expected -= {"task", "data.columns"}
    expected |= {f"data.columns.{role.name}" for role in TASKS[tab.spec.name].roles}
    assert set(tab.fields) == expected


def test_every_field_reaches_run_config(tab: TaskTab, page: Page, tmp_path: Path) -> None:
    defaults = {path: component.value for path, component in tab.fields.items()}
    for path in tab.fields.keys() & form.fields().keys():
        field = form.fields()[path]
        sent, expected = other_value(field, page.uploads, tmp_path)
        assert sent != defaults[path], path
        config = form.to_config(tab.spec.name, {**defaults, path: sent}, page.uploads)
        assert form.get(config.to_dict(), path) == expected, path
    for role in TASKS[tab.spec.name].roles:
        config = form.to_config(tab.spec.name, {**defaults, f"data.columns.{role.name}": "a column"}, page.uploads)
        assert config.data.columns == {role.name: "a column"}


def test_the_form_as_it_opens_is_the_default_run_on_the_example(tab: TaskTab, page: Page) -> None:
    values = {path: component.value for path, component in tab.fields.items()}
    expected = RunConfig.from_dict({"task": tab.spec.name, "data": {"example": first_choice(tab.spec.name, "en")}})
    assert form.to_config(tab.spec.name, values, page.uploads) == expected


def test_a_configuration_fills_the_form_and_comes_back_whole(page: Page) -> None:
    config = RunConfig.from_dict(
        {
            "data": {"example": "rated-sentences", "columns": {"text": "a"}, "fixes": ["drop_duplicates"]},
            "model": {"id": "e5-small", "max_length": 64},
            "method": {"name": "lora", "freeze_embeddings": False},
            "training": {"learning_rate": 1e-4, "class_weights": True},
        }
    )
    assert form.to_config("classification", form.to_values(config), page.uploads) == config


def test_a_cleared_number_is_the_default_and_a_wrong_one_is_told(page: Page) -> None:
    config = form.to_config("classification", {"training.epochs": "", "training.learning_rate": ""}, page.uploads)
    assert config.training.epochs == RunConfig().training.epochs
    assert config.training.learning_rate is None
    assert (
        form.to_config("classification", {"training.learning_rate": "2e-5"}, page.uploads).training.learning_rate
        == 2e-5
    )
    for path, wrong in (("training.batch_size", "2.5"), ("training.epochs", "four")):
        with pytest.raises(ConfigProblem):
            form.to_config("classification", {path: wrong}, page.uploads)


def test_a_number_that_is_automatic_is_empty_in_the_browser(tab: TaskTab) -> None:
    automatic = [path for path, field in form.fields().items() if field.default is None and field.kind != "maybe"]
    assert "training.learning_rate" in automatic
    for path in tab.fields.keys() & set(automatic):
        component = tab.fields[path]
        assert isinstance(component, gr.Textbox) and component.value == "", path


@pytest.mark.parametrize("token", ["../../etc", "/etc/passwd", "a" * 24, "0" * 24 + "/..", "deadbeef"])
def test_a_file_is_named_by_its_upload_alone(page: Page, token: str) -> None:
    with pytest.raises(FileProblem):
        form.to_config("classification", {"data.train": token}, page.uploads)


def test_the_code_shown_is_the_same_run(page: Page, tmp_path: Path) -> None:
    config = RunConfig.from_dict(
        {"data": {"example": "rated-sentences"}, "method": {"name": "lora"}, "training": {"epochs": 2}}
    )
    assert RunConfig.from_yaml(config.to_yaml()) == config
    script = (
        form.as_python(config)
        .split("run = train")[0]
        .replace("from engine import RunConfig, load_predictor, train", "from engine import RunConfig")
    )
    path = tmp_path / "shown.py"
    path.write_text(script, encoding="utf-8")
    assert runpy.run_path(str(path))["config"] == config
    words = shlex.split(form.as_command(config))
    assert words[:4] == ["python", "-m", "engine", "train"]
    assert words[words.index("--method") + 1] == "lora"
    assert words[words.index("--epochs") + 1] == "2.0"


def test_a_run_that_flags_cannot_say_is_a_yaml_file(page: Page) -> None:
    config = RunConfig.from_dict({"data": {"example": "rated-sentences"}, "training": {"warmup": 0.2}})
    assert form.as_command(config) == "python -m engine train run.yaml\n"


def test_what_is_shown_says_nothing_of_where_the_server_keeps_files(page: Page, tmp_path: Path) -> None:
    source = tmp_path / "reviews.csv"
    source.write_text("text,label\n", encoding="utf-8")
    config = form.to_config("classification", {"data.train": page.uploads.keep(source)}, page.uploads)
    shown = form.shareable(config, {})
    assert yaml.safe_load(shown.to_yaml())["data"]["train"] == "reviews.csv"
    assert config.data.train.startswith(str(tmp_path))


def test_switching_the_language_sends_no_value_that_a_person_enters(tab: TaskTab, page: Page) -> None:
    entered = {component._id for component in tab.fields.values()}
    entered |= {component._id for component in tab.playground.inputs.values()}
    for component, update in zip(page.labels.components, page.labels.updates("zh-CN"), strict=True):
        if component._id in entered:
            assert "value" not in update


def test_labels_follow_the_language() -> None:
    from engine.core.text import Text

    labels = Labels()
    with gr.Blocks():
        box = labels.make(gr.Textbox, label=Text("Text", "文本"), lines=2)
    assert box.label == "Text"
    assert labels.updates("zh-CN")[0]["label"] == "文本"


def test_the_python_that_is_shown_asks_with_what_the_task_reads() -> None:
    shown = form.as_python(RunConfig.from_dict({"task": "qa", "data": {"example": "help-desk-questions-en"}}))
    assert 'predictor.predict([{"context": "…", "question": "…"}])' in shown
    compile(shown, "shown", "exec")
