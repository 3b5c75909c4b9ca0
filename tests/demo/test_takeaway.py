"""Taking a model along from the page: what is offered when, what a visitor sees, and where a token goes.

Run: python -m pytest tests/demo/test_takeaway.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from fake_run import finished_run, make_run

from demo.page import Page
from demo.parts import takeaway_events
from demo.parts.takeaway import plan_html, pushed_html
from demo.parts.takeaway_events import TakeawayEvents, exported
from engine.core.errors import ConfigProblem, RunProblem, UserError
from engine.core.settings import Settings

REQUEST = SimpleNamespace(username=None, headers={}, session_hash="s", client=SimpleNamespace(host="127.0.0.1"))
TOKEN = "hf_" + "s3cr3t" * 6
POPEN = subprocess.Popen


class Stage(TakeawayEvents):
    """The handlers with what they need of a tab: the names of its downloads."""

    def __init__(self, page: Page):
        fetch = {"zip": object(), "space": object()}
        taken = SimpleNamespace(prepare=fetch, fetch=fetch, plan=None, push=None, outcome=[None] * 3)
        self.page, self.task = page, "classification"
        self.tab = SimpleNamespace(export=SimpleNamespace(takeaway=taken))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    monkeypatch.setattr(takeaway_events, "POLL_SECONDS", 0.01)
    return Stage(Page.from_settings(Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "data" / "runs")))


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch):
    """Run a Python program in the place of the export command. It finds the flags in sys.argv[1:]."""

    def put(program: str) -> None:
        def popen(command: list[str], **options: Any) -> Any:
            return POPEN([sys.executable, "-c", program, *command[4:]], **options)

        monkeypatch.setattr(takeaway_events.subprocess, "Popen", popen)

    return put


def test_only_a_run_with_a_report_can_be_taken_along(stage: Stage) -> None:
    done, going = finished_run(stage.page.store.directory), make_run(stage.page.store.directory)
    can = [part["interactive"] for part in stage.ready("en", done.id, REQUEST)[:3]]
    cannot = [part["interactive"] for part in stage.ready("en", going.id, REQUEST)[:3]]
    assert can == [True, True, True] and cannot == [False, False, False]
    assert stage.ready("en", done.id, REQUEST)[3]["interactive"] is False, "nothing is uploaded that was not shown"


def test_every_way_out_asks_whose_run_it_is(stage: Stage, monkeypatch: pytest.MonkeyPatch, instead) -> None:
    run = finished_run(stage.page.store.directory)
    instead("raise SystemExit('it was started')")
    requests: list[bool] = []

    def refuse(run: Any, request: Any, control: bool) -> None:
        requests.append(control)
        raise RunProblem("not_yours", takeaway_events.words("export.failed"))

    monkeypatch.setattr(stage.page, "authorise", refuse)
    for outcome in (
        *stage.prepare_zip("en", run.id, False, REQUEST),
        *stage.prepare_space("en", run.id, False, REQUEST),
        *stage.plan_upload("en", run.id, "ada/x", "model", True, False, REQUEST),
        *stage.upload("en", run.id, "ada/x", "model", True, False, TOKEN, REQUEST),
    ):
        assert any("tb-panel-error" in part for part in outcome if isinstance(part, str))
    assert requests == [True] * 4
    assert not stage.ready("en", run.id, REQUEST)[0]["interactive"]


def test_a_zip_is_given_to_this_visitor_alone(stage: Stage, instead) -> None:
    run = finished_run(stage.page.store.directory)
    instead(
        "import sys, json, pathlib; out = sys.argv[sys.argv.index('--out') + 1]; pathlib.Path(out).write_bytes(b'zip');"
        "print('Writing <the> model', file=sys.stderr, flush=True); import time; time.sleep(0.3);"
        "print(json.dumps({'out': out, 'flags': sys.argv[1:]}))"
    )
    steps = list(stage.prepare_zip("en", run.id, True, REQUEST))
    assert any("Writing &lt;the&gt; model" in step[-1] for step in steps[:-1])
    first = Path(steps[-1][0]["value"])
    assert first.read_bytes() == b"zip" and run.id in first.name
    again = Path(list(stage.prepare_zip("en", run.id, True, REQUEST))[-1][0]["value"])
    assert first.parent != again.parent, "the folder's name is what keeps others away"


def test_a_token_goes_to_the_upload_and_nowhere_else(stage: Stage, instead, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished_run(stage.page.store.directory)
    monkeypatch.setenv("HF_TOKEN", "of-the-server")
    instead(
        "import sys, os, json; print(json.dumps({'out': 'https://hub/ada/x', 'files': {}, 'card': '', 'token': os.environ.get('HF_TOKEN', 'none'), 'argv': sys.argv}))"
    )
    seen: list[dict] = []
    real = takeaway_events.takeaway.pushed_html
    monkeypatch.setattr(takeaway_events.takeaway, "pushed_html", lambda address, language: real(address, language))
    monkeypatch.setattr(
        takeaway_events, "_answer", lambda lines: seen.append(json.loads(lines[-1])) or json.loads(lines[-1])
    )
    *_, last = stage.upload("en", run.id, "ada/x", "model", True, False, TOKEN, REQUEST)
    assert last[2] == "", "the field is cleared"
    assert seen[-1]["token"] == TOKEN and TOKEN not in " ".join(seen[-1]["argv"])
    assert "--push" in seen[-1]["argv"] and "--public" not in seen[-1]["argv"]
    list(stage.plan_upload("en", run.id, "ada/x", "model", False, False, REQUEST))
    assert seen[-1]["token"] == "none", "the server's own token is not lent"
    assert "--push" not in seen[-1]["argv"] and "--public" in seen[-1]["argv"]
    assert os.environ["HF_TOKEN"] == "of-the-server"
    for path in run.directory.rglob("*"):
        assert not path.is_file() or TOKEN not in path.read_text(errors="replace")


def test_a_bad_name_costs_nothing_and_a_failure_is_told(stage: Stage, instead) -> None:
    run = finished_run(stage.page.store.directory)
    instead("raise SystemExit('it was started')")
    [refused] = stage.plan_upload("en", run.id, "../etc/passwd", "model", True, False, REQUEST)
    assert "OWNER/NAME" in refused[0] and refused[1]["interactive"] is False
    instead("import sys; sys.exit(9)")
    *_, died = stage.plan_upload("en", run.id, "ada/x", "model", True, False, REQUEST)
    assert "memory" in died[0]
    error = ConfigProblem("x", takeaway_events.words("export.no_token")).to_dict()
    instead(f"import sys; print({json.dumps({'state': 'failed', 'error': error})!r}); sys.exit(2)")
    *_, messages = stage.plan_upload("zh-CN", run.id, "ada/x", "model", True, False, REQUEST)
    assert "写权限" in messages[0]


def test_what_hangs_is_ended(stage: Stage, instead, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished_run(stage.page.store.directory)
    monkeypatch.setattr(takeaway_events, "MAX_SECONDS", 0.3)
    instead("import time; time.sleep(60)")
    started = time.monotonic()
    with pytest.raises(UserError) as caught:
        list(exported(run, [], "en"))
    assert caught.value.code == "export_too_long" and time.monotonic() - started < 20


def test_what_a_hub_or_a_card_says_stays_text() -> None:
    bad = '<img src=x onerror="alert(1)">'
    shown = plan_html(f"ada/{bad}", True, {"files": {bad: 1}, "card": f"# {bad}</pre><script>"}, "en")
    assert "<img" not in shown and "<script" not in shown
    assert "javascript" not in pushed_html("javascript:alert(1)", "en").replace("&", "")
    assert 'rel="noopener noreferrer"' in pushed_html("https://hub/ada/x", "en")


@pytest.mark.training
def test_the_whole_way_with_a_real_model(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.config import RunConfig
    from engine.runs.api import train
    from tests.tiny import save_encoder

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    table = tmp_path / "t.csv"
    rows = "".join(f"{'good' if i % 2 else 'bad'} film number {i},{'yes' if i % 2 else 'no'}\n" for i in range(80))
    table.write_text("text,label\n" + rows, encoding="utf-8")
    model = save_encoder("bert", tmp_path / "tiny")
    described = {"data": {"train": str(table)}, "model": {"id": str(model)}, "training": {"epochs": 1}}
    run = train(RunConfig.from_dict(described), runs_dir=stage.page.store.directory)
    *_, last = stage.prepare_zip("en", run.id, False, REQUEST)
    assert last[0] == gr.update(value=last[0]["value"], visible=True)
    with zipfile.ZipFile(last[0]["value"]) as archive:
        assert any(name.endswith("/predict.py") for name in archive.namelist())
    *_, planned = stage.plan_upload("en", run.id, "ada/x", "space", True, False, REQUEST)
    assert "model/model.safetensors" in planned[0] and planned[1]["interactive"] is True
