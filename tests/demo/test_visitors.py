"""Who a visitor is, and what is theirs. Run: python -m pytest tests/demo/test_visitors.py"""

from __future__ import annotations

import inspect
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from fake_run import finished_run, make_run

from demo.page import Page
from demo.parts import task_tab
from demo.parts.wiring import Wiring
from demo.tabs import classification, runs
from demo.visitors import COOKIE, Visitors
from engine.core.errors import RunFailure, RunProblem
from engine.core.settings import Settings


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setenv("TUNEBENCH_PUBLIC", "1")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return Page.from_settings(Settings.from_env(runs_dir=tmp_path / "data" / "runs"))


@pytest.fixture
def scene(page: Page) -> Wiring:
    with gr.Blocks():
        page.language = gr.Radio(["en", "zh-CN"], value="en")
        return Wiring(page, task_tab.build(page, classification.TAB))


def visitor(page: Page, cookie: str | None = None, username: str | None = None, **scope: Any) -> gr.Request:
    value = page.visitors.new() if cookie is None else cookie
    http = SimpleNamespace(headers={"cookie": f"other=1; {COOKIE}={value}"}, scope=scope)
    return gr.Request(request=http, username=username)  # type: ignore[arg-type]


def test_a_cookie_is_believed_only_with_its_signature(page: Page) -> None:
    cookie = page.visitors.new()
    number, signature = cookie.split(".")
    assert page.visitors.read(cookie) == number
    for forged in (
        "",
        number,
        f"{number}.",
        f"{'0' * 32}.{signature}",
        cookie + "0",
        cookie.upper(),
        "a.b",
        "é.é",
        None,
    ):
        assert page.visitors.read(forged) is None
    assert page.visitors.of(visitor(page, f"{number}.{'0' * 64}")) == ""
    assert page.visitors.of(None) == ""


def test_visitors_stay_who_they_are_after_a_restart_and_the_secret_is_the_servers(page: Page) -> None:
    cookie = page.visitors.new()
    again = Visitors.kept_in(page.settings.runs_dir.parent)
    assert again.read(cookie)
    key = page.settings.runs_dir.parent / "visitors.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert [path.name for path in key.parent.iterdir()] == ["visitors.key"]


def test_a_login_is_an_identity_and_a_number_is_written_down_only_as_a_hash(page: Page) -> None:
    assert page.visitors.of(visitor(page, username="ana")) == "user:ana"
    session = {"oauth_info": {"userinfo": {"preferred_username": "bo"}}}
    assert page.visitors.of(visitor(page, session=session)) == "hf:bo"
    cookie = page.visitors.new()
    owner = page.visitors.of(visitor(page, cookie))
    assert owner.startswith("browser:") and cookie.split(".")[0] not in owner


def test_a_list_shows_a_visitors_own_runs(page: Page) -> None:
    me, other = visitor(page), visitor(page)
    mine = make_run(page.store.directory, state="completed", owner=page.owner(me))
    theirs = make_run(page.store.directory, state="completed", owner=page.owner(other))
    nobodys = make_run(page.store.directory, state="completed")
    shown = runs.list_html(page, "en", me)
    assert mine.id in shown and theirs.id not in shown and nobodys.id not in shown
    nobody = visitor(page, "forged")
    assert not any(run.id in runs.list_html(page, "en", nobody) for run in (mine, theirs, nobodys))


def test_anothers_run_shows_its_report_and_not_its_controls(page: Page, scene: Wiring) -> None:
    me, other = visitor(page), visitor(page)
    run = finished_run(page.store.directory)
    run.update(owner=page.owner(me), state="interrupted")
    parts = {component: index for index, component in enumerate(scene.show_outputs)}
    acts = scene.tab.actions
    mine, theirs = (scene.show("en", run.id, {}, request) for request in (me, other))
    for component in (acts.row, acts.resume):
        assert mine[parts[component]]["visible"] is True
        assert theirs[parts[component]]["visible"] is False
    assert "tb-run-head" in theirs[parts[scene.tab.head]]
    assert "90" in scene.show_results("en", run.id, other)[0]


# Every handler that takes a run id, and how it is called beyond the language and the id.
READING = {
    "open",
    "show",
    "show_results",
    "relabel_results",
    "open_group",
    "warm",
    "ask",
    "ask_again",
    "suggest",
    "answer_file",
    "ask_as_typed",
    "write",
    "style_of",
}
CONTROLLING = {
    "stop_and_keep", "stop_and_discard", "resume_run", "open_editor", "save_about", "ask_delete", "delete_run", "clone_run",
    "train_in_slices",
}  # fmt: skip

# These control too; they answer in parts, and say a refusal where their outcome would have been.
TAKING = {
    "ready": (),
    "prepare_zip": (False,),
    "prepare_space": (False,),
    "plan_upload": ("a/b", "model", True, False),
    "upload": ("a/b", "model", True, False, "token"),
}


def handlers_of_runs() -> dict[str, Any]:
    result = {}
    for name, function in inspect.getmembers(Wiring, inspect.isfunction):
        parameters = inspect.signature(function).parameters
        if not name.startswith("_") and "run_id" in parameters:
            result[name] = parameters
    return result


def test_every_handler_of_a_run_is_known_to_read_or_to_control_and_hears_who_asks() -> None:
    result = handlers_of_runs()
    assert set(result) == READING | CONTROLLING | set(TAKING), "a new handler: does it control? then it must authorise"
    assert all("request" in parameters for parameters in result.values())


@pytest.mark.parametrize("name", sorted(CONTROLLING))
def test_no_handler_controls_anothers_run(page: Page, scene: Wiring, name: str) -> None:
    run = finished_run(page.store.directory)
    run.update(owner=page.owner(visitor(page)), state="interrupted")
    before = {path: path.read_bytes() for path in run.directory.rglob("*") if path.is_file()}
    extra = {"name": "mine now", "note": "mine now"} if name == "save_about" else {}
    page.zero = SimpleNamespace(train_in_slices=lambda *_: pytest.fail("another's run was trained"))
    for stranger in (visitor(page), visitor(page, "forged"), None):
        with pytest.raises(gr.Error, match="someone else"):
            getattr(scene, name)("en", run.id, request=stranger, **extra)
    assert {path: path.read_bytes() for path in run.directory.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", sorted(TAKING))
def test_nobody_takes_anothers_model_away(page: Page, scene: Wiring, name: str) -> None:
    run = finished_run(page.store.directory)
    run.update(owner=page.owner(visitor(page)))
    before = {path: path.read_bytes() for path in run.directory.rglob("*") if path.is_file()}
    answer = getattr(scene, name)("en", run.id, *TAKING[name], request=visitor(page))
    if name == "ready":
        assert not any(update.get("interactive") for update in answer if isinstance(update, dict))
    else:
        [refusal] = list(answer)
        assert any("someone else" in str(part) for part in refusal)
    assert {path: path.read_bytes() for path in run.directory.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("verb", ["resume", "ask", "delete", "anything"])
def test_no_click_in_a_list_controls_anothers_run(page: Page, verb: str) -> None:
    run = make_run(page.store.directory, state="interrupted", owner=page.owner(visitor(page)))
    with pytest.raises(RunProblem, match="someone else"):
        runs.act(page, "en", f"{verb}:{run.id}", visitor(page))
    assert run.state == "interrupted"


def test_an_owner_deletes_after_being_asked(page: Page) -> None:
    me = visitor(page)
    run = make_run(page.store.directory, state="completed", owner=page.owner(me))
    _, requests = runs.act(page, "en", f"ask:{run.id}", me)
    assert f'data-pick="delete:{run.id}"' in requests and run.directory.exists()
    _, kept = runs.act(page, "en", f"keep:{run.id}", me)
    assert "delete:" not in kept
    _, left = runs.act(page, "en", f"delete:{run.id}", me)
    assert run.id not in left and not run.directory.exists()


def test_a_private_deployment_belongs_to_whoever_can_reach_it(tmp_path: Path) -> None:
    page = Page.from_settings(Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs"))
    run = make_run(page.store.directory, state="completed")
    assert run.id in runs.list_html(page, "en", None)
    assert page.open_run(run.id, None, control=True).id == run.id


def test_a_name_given_by_its_owner_is_shown_at_once(page: Page, scene: Wiring) -> None:
    me = visitor(page)
    run = make_run(page.store.directory, state="completed", owner=page.owner(me))
    scene.show("en", run.id, {}, me)
    scene.save_about("en", run.id, "Second try", "Labels were wrong", me)
    head = scene.show("en", run.id, {}, me)[2]
    assert "Second try" in head and "Labels were wrong" in head
    assert "Second try" in runs.list_html(page, "en", me)


def test_a_clone_fills_the_form_and_says_what_is_gone(page: Page, scene: Wiring, tmp_path: Path, monkeypatch) -> None:
    me = visitor(page)
    table = tmp_path / "reviews.csv"
    table.write_text("text,label\na,b\n")
    token = page.uploads.keep(table)
    run = make_run(page.store.directory, state="completed", owner=page.owner(me))
    config = run.config
    config.data.example, config.data.train, config.training.epochs = "", str(page.uploads.path(token)), 3.0
    run.path("config.yaml").write_text(config.to_yaml(), encoding="utf-8")
    filled = dict(zip(scene.fields, scene.clone_run("en", run.id, me), strict=True))
    assert (filled["data.train"], filled["training.epochs"], filled["data.example"]) == (token, "3", "")
    page.uploads.path(token).unlink()
    output: list[str] = []
    monkeypatch.setattr(gr, "Warning", output.append)
    filled = dict(zip(scene.fields, scene.clone_run("en", run.id, me), strict=True))
    assert filled["data.train"] == "" and output


def test_a_public_page_says_its_limits_before_anything_is_chosen_and_keeps_them(page: Page, scene: Wiring) -> None:
    for language in ("en", "zh-CN"):
        messages = task_tab.limits_html(page, language)
        for number in ("25", "50,000", "10", "30", "2", "7"):
            assert number in messages
    values = [component.value for component in scene.fields.values()]
    place = list(scene.fields).index("training.epochs")
    values[place] = "50"
    assert "at most 10" in scene.describe("en", *values)[2]
    run_id, output = scene.start("en", visitor(page), *values)
    assert run_id == gr.skip() and "at most 10" in output
    values[place], values[list(scene.fields).index("model.id")] = "1", "/etc"
    run_id, output = scene.start("en", visitor(page), *values)
    assert run_id == gr.skip() and "not offered" in output
    assert list(page.store) == []


def test_several_logins_have_runs_of_their_own_on_a_private_page_too(tmp_path: Path) -> None:
    page = Page.from_settings(Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs"))
    page.separate = True  # what `launch` sets for more than one login
    ana, bo = visitor(page, username="ana"), visitor(page, username="bo")
    run = make_run(page.store.directory, state="completed", owner=page.owner(ana))
    assert [mine.id for mine in page.runs_of(ana)] == [run.id]
    assert list(page.runs_of(bo)) == []
    with pytest.raises(RunProblem, match="someone else"):
        page.open_run(run.id, bo, control=True)


def test_uploads_stay_within_the_quota(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEBENCH_DISK_QUOTA_MB", "1")
    tight = Page.from_settings(Settings.from_env(runs_dir=tmp_path / "data" / "runs"))
    tight.uploads.write("a.csv", b"x" * 600_000)
    big = tmp_path / "b.csv"
    big.write_bytes(b"x" * 600_000)
    with pytest.raises(RunFailure, match="set aside"):
        tight.uploads.keep(big)
    assert len(list(tight.settings.uploads_dir.iterdir())) == 1
