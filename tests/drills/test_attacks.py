"""The attack drill, over HTTP, against a public page: another's run, paths, markup and nonsense through every handler there is.

Run: python -m pytest tests/drills/test_attacks.py
"""

from __future__ import annotations

import io
import json
import re
import secrets
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest

from demo.launch import launch
from demo.page import Page
from demo.visitors import COOKIE
from engine.core.settings import Settings
from engine.run_directory.about import describe
from engine.run_directory.store import Run
from engine.tasks import TASKS
from tests.demo.fake_run import finished_run

pytestmark = pytest.mark.slow

PRIVATE_NOTE = "only the owner wrote this " + secrets.token_hex(8)
MARKUP = "\"><img src=x onerror=alert(1)><script>alert('x')</script>[a](javascript:alert(1))"
PATHS = ["../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "..\\..\\secret", "a\x00b"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("attacked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEBENCH_PUBLIC", "1")
        patch.setenv("TUNEBENCH_MAX_UPLOAD_MB", "1")
        patch.setenv("TUNEBENCH_RUNS", str(folder / "data" / "runs"))
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "gradio"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield Settings.from_env()


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    local, _ = launch(settings, "127.0.0.1", port, block=False)
    yield local
    gr.close_all()


@pytest.fixture(scope="module")
def config(address: str) -> dict[str, Any]:
    return httpx.get(address + "config").json()


@pytest.fixture(scope="module")
def victim(address: str, settings: Settings) -> Run:
    """A finished run of somebody else, with a note that only they may read."""
    run = finished_run(settings.runs_dir)
    run.update(owner="browser:" + "0" * 32, state="interrupted")
    describe(run, note=PRIVATE_NOTE)
    return run


@pytest.fixture
def stranger(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as client:
        client.get("/")
        yield client


def call(client: httpx.Client, index: int, data: list[Any], event: Any = None) -> str:
    """Run a handler as its page would, queue or not; returns everything it answered, as text."""
    session = secrets.token_hex(6)
    body = {"fn_index": index, "data": data, "session_hash": session, "event_data": event, "trigger_id": 1}
    joined = client.post("/gradio_api/queue/join", json=body)
    if joined.status_code != 200:
        return joined.text
    text = [joined.text]
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        for line in stream.iter_lines():
            text.append(line)
            if '"process_completed"' in line or '"close_stream"' in line or '"unexpected_error"' in line:
                break
    return "\n".join(text)


def snapshot(run: Run) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.directory.rglob("*") if path.is_file()}


def test_a_visitor_is_given_one_signed_cookie_that_scripts_cannot_read(address: str) -> None:
    with httpx.Client(base_url=address) as client:
        given = client.get("/").headers["set-cookie"]
        assert given.startswith(f"{COOKIE}=") and "HttpOnly" in given and "SameSite=Lax" in given
        assert "set-cookie" not in client.get("/").headers
        forged = client.get("/", headers={"cookie": f"{COOKIE}={'0' * 32}.{'0' * 64}"}).headers["set-cookie"]
        assert "0" * 32 not in forged


def handlers_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Every handler once: those of the other tabs, and of other triggers, are the same functions under a number."""
    result: dict[str, dict[str, Any]] = {}
    for each in config["dependencies"]:
        if each["backend_fn"]:
            result.setdefault(re.sub(r"_\d+$", "", str(each["api_name"])), each)
    return list(result.values())


def shown_as_markup(config: dict[str, Any], handler: dict[str, Any], answer: str) -> list[str]:
    """What an answer puts into components that render markup."""
    kinds = {each["id"]: each["type"] for each in config["components"]}
    shown = []
    for line in answer.splitlines():
        if '"process_completed"' in line:
            output = json.loads(line.removeprefix("data: "))["output"]
            for target, value in zip(handler["outputs"], output.get("data") or [], strict=False):
                if kinds[target] in ("html", "markdown"):
                    shown.append(json.dumps(value))
            shown.append(str(output.get("error") or "") if "list of choices" not in str(output.get("error")) else "")
    return shown


@pytest.mark.parametrize("shift", [None, 0, 1], ids=["anothers run", "paths and markup", "markup and paths"])
def test_every_handler_withstands_what_a_stranger_sends(
    stranger: httpx.Client, config: dict[str, Any], victim: Run, settings: Settings, shift: int | None
) -> None:
    """Another's run id, or a path or markup in every place of every handler, documented or not, called past the page."""
    before, secret = snapshot(victim), (settings.runs_dir.parent / "visitors.key").read_bytes().hex()
    handlers = handlers_of(config)
    names = {re.sub(r"_\d+$", "", str(each["api_name"])) for each in handlers}
    assert {
        "start",
        "show",
        "show_results",
        "delete_run",
        "resume_run",
        "save_about",
        "clone_run",
        "act",
        "list_runs",
    } <= names
    payloads = [MARKUP, *PATHS]
    for position, handler in enumerate(handlers):
        size = len(handler["inputs"])
        if shift is None:
            data = ["en", *[victim.id] * (size - 1)][:size]
            picks = [victim.id, f"delete:{victim.id}", f"resume:{victim.id}"]
        else:
            data = ["en", *(payloads[(position + shift + place) % len(payloads)] for place in range(1, size))][:size]
            picks = [payloads[(position + shift) % len(payloads)]]
        selects = any(event == "select" for _, event in handler["targets"])
        for event in [{"index": 0, "value": pick} for pick in picks] if selects else [None]:
            answer = call(stranger, handler["id"], data, event)
            where = (handler["api_name"], data, event)
            for never in ("root:x:0", secret, "Traceback", str(settings.runs_dir)):
                assert never not in answer, where
            for shown in shown_as_markup(config, handler, answer):
                assert "<script>" not in shown and "<img src=x" not in shown, (where, shown)
    assert snapshot(victim) == before
    assert victim.state == "interrupted"
    assert [path.name for path in settings.runs_dir.iterdir() if not path.name.startswith(".")] == [victim.id]


def test_a_link_shows_the_report_without_what_is_the_owners(
    stranger: httpx.Client, config: dict[str, Any], victim: Run
) -> None:
    named = {name: [h for h in config["dependencies"] if (h.get("api_name") or "").startswith(name)] for name in ("show_results", "open_editor")}  # fmt: skip
    shown = call(stranger, named["show_results"][0]["id"], ["en", victim.id])
    assert "What it mixes up" in shown
    refused = call(stranger, named["open_editor"][0]["id"], ["en", victim.id])
    assert "someone else" in refused and PRIVATE_NOTE not in refused


def test_a_run_list_is_a_visitors_own(stranger: httpx.Client, config: dict[str, Any], victim: Run) -> None:
    listings = [h for h in config["dependencies"] if (h.get("api_name") or "").startswith("list_runs")]
    assert listings
    for handler in listings:
        assert victim.id not in call(stranger, handler["id"], ["en"])


def test_an_upload_too_large_is_refused_by_the_server(stranger: httpx.Client) -> None:
    big = stranger.post("/gradio_api/upload", files={"files": ("a.csv", b"x" * 3_000_000)})
    assert big.status_code == 413


def test_an_uploaded_name_leads_nowhere(stranger: httpx.Client, settings: Settings) -> None:
    for name in ("../../../evil.csv", "/etc/evil.csv", "..\\evil.csv", MARKUP + ".csv"):
        answer = stranger.post("/gradio_api/upload", files={"files": (name, b"text,label\na,b\n")})
        for path in answer.json() if answer.status_code == 200 else []:
            assert Path(path).resolve().is_relative_to(settings.runs_dir.parent.parent / "gradio")


def test_a_bomb_is_refused_by_what_it_would_become(settings: Settings, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.csv", "text,label\n" + "aaaaaaaa,b\n" * 3_000_000)
    assert len(packed.getvalue()) < 1_000_000, "it passes the limit on uploads"
    from engine.config import DataConfig
    from engine.core.errors import FileProblem
    from engine.data.load import read_tables

    page = Page.from_settings(settings)
    token = page.uploads.write("bomb.zip", packed.getvalue())
    with pytest.raises(FileProblem):
        read_tables(DataConfig(train=str(page.uploads.path(token))), TASKS["classification"], settings)


def test_a_path_of_the_machine_is_no_upload(stranger: httpx.Client, config: dict[str, Any], settings: Settings) -> None:
    """What an upload button sends is a path: only one of Gradio's own folder is taken."""
    kept = [h for h in config["dependencies"] if (h.get("api_name") or "").startswith(("keep", "answer_file"))]
    assert kept
    key = settings.runs_dir.parent / "visitors.key"
    for handler in kept:
        for path in ("/etc/passwd", str(key)):
            file = {"path": path, "meta": {"_type": "gradio.FileData"}, "orig_name": "a.csv", "size": 1}
            data = [file if place == len(handler["inputs"]) - 1 else "en" for place in range(len(handler["inputs"]))]
            answer = call(stranger, handler["id"], data)
            assert "root:x" not in answer and key.read_bytes().hex() not in answer
    uploads = settings.uploads_dir
    kept_names = [file.name for file in uploads.rglob("*") if file.is_file()] if uploads.exists() else []
    assert "passwd" not in kept_names and "visitors.key" not in kept_names


@pytest.mark.parametrize("address_of", ["gradio_api/file=", "file=", "gradio_api/file/", "gradio_api/stream/"])
def test_no_file_of_the_deployment_is_served(
    stranger: httpx.Client, settings: Settings, victim: Run, address_of: str
) -> None:
    for path in (
        settings.runs_dir.parent / "visitors.key",
        victim.path("about.json"),
        victim.path("config.yaml"),
        victim.path("..", "..", "visitors.key"),
        Path(__file__).resolve(),
        Path(launch.__code__.co_filename),
        Path("/proc/self/environ"),
    ):
        answer = stranger.get(f"/{address_of}{path}")
        assert answer.status_code >= 400, path
        assert PRIVATE_NOTE not in answer.text


def test_tokens_reach_nothing_that_is_kept(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.core.redact import redact

    monkeypatch.setenv("HF_TOKEN", "correct-horse-battery-staple")
    token = "hf_" + "Ab1" * 12
    text = redact(f"401 for {token} at https://me:pa55word@host/x with Bearer {'q' * 30}, correct-horse-battery-staple")
    for secret in (token, "pa55word", "q" * 30, "correct-horse"):
        assert secret not in text
    assert "401 for" in text and "host/x" in text
    page = Page.from_settings(settings)
    assert token not in json.dumps([str(path) for path in page.settings.runs_dir.parent.rglob("*")])
