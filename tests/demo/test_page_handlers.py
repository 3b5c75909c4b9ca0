"""What the page's handlers answer, without a browser. Run: python -m pytest tests/demo/test_page_handlers.py"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fake_run import event, finished_run, make_run, step, write_events

from demo.page import Page
from demo.parts import playground, task_tab
from demo.parts.wiring import Wiring
from demo.tabs import classification, runs
from engine.assets import EXAMPLES
from engine.core.errors import UserError
from engine.core.settings import Settings
from engine.run_directory.identity import this_process
from engine.tasks import TASKS

SKIP = gr.skip()


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page.from_settings(Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs"))


@pytest.fixture
def scene(page: Page) -> Wiring:
    with gr.Blocks():
        page.language = gr.Radio(["en", "zh-CN"], value="en")
        return Wiring(page, task_tab.build(page, classification.TAB))


def values(scene: Wiring, **changes: Any) -> list[Any]:
    """The fields as they open, with some changed (dots written as two underscores)."""
    changed = {name.replace("__", "."): value for name, value in changes.items()}
    return [changed.get(path, component.value) for path, component in scene.fields.items()]


def uploaded(page: Page, tmp_path: Path, text: str, name: str = "reviews.csv", encoding: str = "utf-8") -> str:
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return page.uploads.keep(path)


ROWS = "review,stars\n" + "".join(
    f"A rather {word} film number {i},{label}\n" for i in range(20) for word, label in (("good", "up"), ("bad", "down"))
)


def test_an_uploaded_table_is_read_guessed_and_shown(scene: Wiring, page: Page, tmp_path: Path) -> None:
    form = values(scene, data__example="", data__train=uploaded(page, tmp_path, ROWS))
    _, view, _, source, *_, row, text, pair, label = scene.read_data("en", *form)
    assert "A rather good film number 0" in view
    assert "40 rows" in view and "2 classes" in view
    assert "reviews.csv" in source
    assert row["visible"] is True
    assert (text["value"], pair["value"], label["value"]) == ("review", "", "stars")


def test_a_chinese_excel_csv_is_read_and_its_encoding_named(scene: Wiring, page: Page, tmp_path: Path) -> None:
    rows = "内容,情感\n" + "".join(
        f"这部电影第{i}次看还是很{w},{label}\n" for i in range(20) for w, label in (("好看", "正面"), ("难看", "负面"))
    )
    token = uploaded(page, tmp_path, rows, encoding="gb18030")
    _, view, *_, text, _, label = scene.read_data("zh-CN", *values(scene, data__example="", data__train=token))
    assert "gb18030" in view.lower()
    assert (text["value"], label["value"]) == ("内容", "情感")


def test_a_correction_is_kept_when_the_table_is_read_again(scene: Wiring, page: Page, tmp_path: Path) -> None:
    text = ROWS.replace("review,stars", "review,stars").replace("\n", ",note\n")
    form = values(scene, data__example="", data__train=uploaded(page, tmp_path, text), data__columns__label="note")
    label = scene.read_data("en", *form)[-1]
    assert label["value"] == "note"


def test_a_file_that_cannot_be_read_is_said_in_its_place(scene: Wiring, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "program.csv"
    path.write_bytes(b"MZ\x90\x00" + bytes(range(256)) * 8)
    _, view, *rest = scene.read_data("zh-CN", *values(scene, data__example="", data__train=page.uploads.keep(path)))
    assert "tb-panel-error" in view and "无法读取" in view
    assert rest[scene.read_data_outputs.index(scene.tab.data.columns) - 2]["visible"] is False


def test_the_doctor_speaks_and_its_fix_is_switched_on_and_off(scene: Wiring, page: Page, tmp_path: Path) -> None:
    rows = ROWS + "A rather good film number 0,up\n" * 3
    form = values(scene, data__example="", data__train=uploaded(page, tmp_path, rows))
    assert 'data-pick="drop_duplicates"' in scene.check_data("en", *form)
    chosen = gr.SelectData(None, {"index": 0, "value": "drop_duplicates"})
    place = list(scene.fields).index("data.fixes")
    on = scene.apply_fix("en", chosen, *form)
    assert on[place] == "drop_duplicates"
    assert all(update == SKIP for index, update in enumerate(on) if index != place)
    form[place] = on[place]
    assert "Undo" in scene.check_data("en", *form)
    assert scene.apply_fix("en", chosen, *form)[place] == ""


def test_a_wrong_setting_is_told_by_its_label(scene: Wiring) -> None:
    output = scene.describe("en", *values(scene, training__learning_rate="20"))[2]
    assert "Learning rate is 20" in output
    assert "学习率" in scene.describe("zh-CN", *values(scene, training__learning_rate="20"))[2]
    assert scene.describe("en", *values(scene))[2] == ""


def test_the_button_and_the_plan_say_what_would_happen(scene: Wiring, page: Page, tmp_path: Path) -> None:
    plan, button, *_ = scene.describe("en", *values(scene))
    assert "MiniLM" in plan and button["value"] == "Run the example"
    token = uploaded(page, tmp_path, ROWS)
    plan, button, *_ = scene.describe("en", *values(scene, data__example="", data__train=token, method__name="lora"))
    assert "reviews.csv" in plan and button["value"] == "Start training"


def test_a_start_that_is_refused_says_why_and_starts_nothing(scene: Wiring, page: Page) -> None:
    run_id, output = scene.start("en", None, *values(scene, training__epochs="-1"))
    assert run_id == SKIP
    assert "Epochs is -1" in output and "tb-panel" in output
    assert list(page.store) == []


def test_only_what_is_new_is_sent(scene: Wiring, page: Page) -> None:
    run = make_run(page.store.directory, state="completed")
    write_events(run, [event("phase", 0.0, phase="train"), step(1, 10, 1.0)])
    first = scene.show("en", run.id, {}, None)
    again = scene.show("en", run.id, first[-1], None)
    assert all(update == SKIP for update in again[:-1])
    write_events(run, [step(2, 10, 2.0)])
    third = scene.show("en", run.id, again[-1], None)
    names = [
        "empty",
        "panel",
        "head",
        "status",
        "curves",
        "facts",
        "notes",
        "controls",
        "log_fold",
        "log",
        "actions",
        "resume",
        "delete",
        "ended",
    ]
    assert {name for name, update in zip(names, third, strict=False) if update != SKIP} <= {"status", "curves"}
    chinese = scene.show("zh-CN", run.id, again[-1], None)
    assert "已完成" in chinese[2]


def test_a_run_that_goes_on_is_marked_for_the_script_that_watches_it(scene: Wiring, page: Page) -> None:
    status = scene.show_outputs.index(scene.tab.train.status)
    run = make_run(page.store.directory)
    assert f'data-live="{run.id}"' in scene.show("en", run.id, {}, None)[status]
    run.update(state="stopped", finished=1.0)
    for shown in (run.id, "", "20260101-000000-00000000"):
        assert "data-live" not in scene.show("en", shown, {}, None)[status]
    assert "tb-panel-error" in scene.show("en", "20260101-000000-00000000", {}, None)[2]


def test_answers_leave_half_of_the_cores_to_a_run_that_trains(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int | None] = []
    monkeypatch.setattr("engine.models.device.use_threads", used.append)
    monkeypatch.setattr("engine.inference.predictor.load_predictor", lambda directory: directory)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    done = make_run(page.store.directory, state="completed")
    assert playground.predictor(page, done) == done.directory
    make_run(page.store.directory, state="running", process=this_process())
    playground.predictor(page, done)
    assert used == [None, 4]


def test_a_finished_run_is_told_in_the_language_asked_for(
    scene: Wiring, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    run = finished_run(page.store.directory)
    messages = scene.show_results("en", run.id, None)
    assert len(messages) == len(scene.results_outputs)
    assert "90" in messages[0] and "What it mixes up" in messages[1]
    assert "容易混淆的类别" in scene.show_results("zh-CN", run.id, None)[1]
    assert len(scene.relabel_results("zh-CN", run.id, None)) == len(scene.relabel_outputs)


def test_a_cell_shows_the_rows_behind_it(scene: Wiring, page: Page) -> None:
    run = finished_run(page.store.directory, label_a="yes", text="The row itself")
    chosen = gr.SelectData(None, {"index": 0, "value": "0,1"})
    assert "The row itself" in scene.open_group("en", run.id, chosen, None)


def test_stopping_leaves_a_request_that_the_worker_reads(scene: Wiring, page: Page) -> None:
    run = make_run(page.store.directory, state="running", process=this_process())
    scene.stop_and_keep("en", run.id, None)
    assert run.requested_stop == "keep"
    with pytest.raises(gr.Error):
        scene.stop_and_discard("en", "../../x", None)


def test_the_run_list_reads_the_disk(page: Page) -> None:
    assert "No runs yet" in runs.list_html(page, "en")
    headline = {"metric": "accuracy", "value": 0.871, "low": 0.857, "high": 0.888}
    run = make_run(page.store.directory, state="completed", headline=headline)
    listed = runs.list_html(page, "zh-CN")
    assert f'data-pick="{run.id}"' in listed
    assert "87.1%" in listed and "已完成" in listed and "准确率" in listed


def test_the_plan_names_the_model_that_suits_the_data(scene: Wiring, page: Page, tmp_path: Path) -> None:
    assert "MiniLM" in scene.describe("en", *values(scene))[0]
    assert "multilingual-e5" in scene.describe("en", *values(scene, data__example="chinese-reviews"))[0]
    assert "bert-base-uncased" not in scene.describe("en", *values(scene, model__id="e5-small"))[0]
    rows = "评论,情感\n" + "".join(
        f"第{i}次购买，东西{'很好' if i % 2 else '很差'}，{i}天送到,{'好评' if i % 2 else '差评'}\n" for i in range(40)
    )
    columns = {"data__columns__text": "评论", "data__columns__label": "情感"}
    form = values(scene, data__example="", data__train=uploaded(page, tmp_path, rows), **columns)
    assert "suits its language" in scene.describe("en", *form)[0]
    scene.check_data("en", *form)
    assert "multilingual-e5" in scene.describe("en", *form)[0]


def test_only_an_example_that_exists_is_picked(scene: Wiring) -> None:
    chosen = gr.SelectData(None, {"index": 0, "value": "chinese-reviews"})
    assert "chinese-reviews" in scene.pick_example("en", chosen)
    unknown = gr.SelectData(None, {"index": 0, "value": "../secret"})
    assert all(update == SKIP for update in scene.pick_example("en", unknown))


def test_what_was_typed_comes_back_after_a_reload(scene: Wiring, page: Page, tmp_path: Path) -> None:
    token = uploaded(page, tmp_path, ROWS)
    form = values(scene, data__example="", data__train=token, training__epochs="7", model__id="me/my-model")
    assert scene.remember(False, "en", *form) == SKIP
    draft = scene.remember(True, "en", *form)
    left = scene.values_of_draft(draft)
    assert [left.get(path, old) for path, old in zip(scene.fields, values(scene), strict=True)] == form


@pytest.mark.parametrize(
    "draft",
    [
        "",
        "no json",
        "[]",
        "null",
        '{"values": {"data.train": "../../etc"}}',
        '{"values": 3}',
        '{"values": {"data.fixes": 5}}',
    ],
)
def test_a_draft_that_cannot_be_used_leaves_the_form_as_it_opens(scene: Wiring, draft: str) -> None:
    assert scene.values_of_draft(draft) == {}


def test_a_tab_comes_to_life_in_one_event(scene: Wiring) -> None:
    draft = scene.remember(True, "en", *values(scene, training__epochs="7"))
    updates = scene.open("zh-CN", "", {}, draft, None)
    assert len(updates) == len(scene.open_outputs) == len({component._id for component in scene.open_outputs})
    output = {component._id: update for component, update in zip(scene.open_outputs, updates, strict=True)}
    epochs = output[scene.fields["training.epochs"]._id]
    assert (epochs["value"], epochs["label"]) == ("7", "训练轮数")
    assert "value" not in output[scene.fields["training.warmup"]._id], "what the draft does not name stays as it is"
    assert output[scene.tab.restored._id]["value"] is True
    assert output[scene.tab.start._id]["value"] == "运行示例"
    assert output[scene.tab.panel._id]["visible"] is False
    assert "tb-plan" in output[scene.tab.plan._id]["value"]
    cards = output[scene.tab.data.cards._id]["value"]
    assert cards.index("chinese-reviews") < cards.index("rated-sentences")
    assert output[scene.fields["data.example"]._id]["value"] == "rated-sentences", "epochs were set for this data"


@pytest.mark.parametrize(("language", "example"), [("en", "rated-sentences"), ("zh-CN", "help-desk-zh")])
def test_a_newcomer_finds_an_example_in_their_language(scene: Wiring, language: str, example: str) -> None:
    untouched = scene.remember(True, language, *values(scene, data__example=example))
    for draft in ("", untouched):
        output = dict(zip((c._id for c in scene.open_outputs), scene.open(language, "", {}, draft, None), strict=True))
        assert output[scene.fields["data.example"]._id]["value"] == example
        assert f'data-pick="{example}" aria-pressed="true"' in output[scene.tab.data.cards._id]["value"]
        assert EXAMPLES[example].title.in_language(language) in output[scene.tab.plan._id]["value"]
    cleared = scene.remember(True, language, *values(scene, data__example=example, training__warmup=""))
    assert scene.values_of_draft(cleared)["data.example"] == example, "a field was emptied for this data"
    emptied = scene.remember(True, language, *values(scene, data__example=""))
    output = dict(zip((c._id for c in scene.open_outputs), scene.open(language, "", {}, emptied, None), strict=True))
    assert output[scene.fields["data.example"]._id]["value"] == "", "what was taken out stays out"


def test_the_example_cards_speak_the_language_that_is_asked_for(scene: Wiring) -> None:
    cards = scene.read_data("zh-CN", *values(scene))[0]
    assert "中文" in cards and "行" in cards
    # What the reader can read comes first.
    assert cards.index("chinese-reviews") < cards.index("rated-sentences")


@pytest.mark.parametrize("typed", ["", "   ", None])
def test_an_empty_question_is_told(typed: str | None) -> None:
    with pytest.raises(UserError):
        playground.typed_row(TASKS["classification"], {"text": typed, "text_pair": ""})
    assert playground.typed_row(TASKS["classification"], {"text": " a ", "text_pair": ""}) == {"text": "a"}


def test_data_from_which_nothing_can_be_learned_does_not_start(scene: Wiring, page: Page, tmp_path: Path) -> None:
    rows = "text,label\n" + "".join(f"A film number {i} of many,up\n" for i in range(20))
    columns = {"data__columns__text": "text", "data__columns__label": "label"}
    form = values(scene, data__example="", data__train=uploaded(page, tmp_path, rows), **columns)
    assert "tb-error" in scene.check_data("en", *form)
    run_id, output = scene.start("en", None, *form)
    assert run_id == SKIP and "tb-panel-error" in output
    assert list(page.store) == []


def test_a_run_whose_configuration_cannot_be_read_is_listed_by_its_id(page: Page) -> None:
    run = make_run(page.store.directory, state="completed")
    run.path("config.yaml").write_text("model: @nothing", encoding="utf-8")
    assert run.id in runs.list_html(page, "en")
