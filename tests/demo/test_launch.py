"""The page as it is served. Run: python -m pytest tests/demo/test_launch.py"""

from __future__ import annotations

import io
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import httpx
import pytest
from fake_run import finished_run
from gradio_client import Client

from demo.launch import launch
from engine.core.settings import Settings
from engine.run_directory.store import Run

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "data" / "runs")


@pytest.fixture
def served(settings: Settings) -> Iterator[str]:
    local, _ = launch(settings, "127.0.0.1", free_port(), block=False)
    yield local
    gr.close_all()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_share_link_that_cannot_be_made_does_not_take_the_page_with_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> str:
        raise RuntimeError("no share server here")

    # Not capsys, which also puts another stderr in place: a served page sets up logging anew, which closes the handlers there are,
    # and absl's (it comes with rouge-score) then closes the stderr that it was made with, pytest's own.
    output = io.StringIO()
    monkeypatch.setattr("sys.stdout", output)
    monkeypatch.setattr("gradio.networking.setup_tunnel", unreachable)
    try:
        local, link = launch(settings, "127.0.0.1", free_port(), share=True, block=False)
        assert link is None
        assert status(local) == 200
        assert "could not be made" in output.getvalue()
    finally:
        gr.close_all()


def test_a_busy_machine_that_is_slow_with_its_first_page_serves_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(*_: object, **__: object) -> httpx.Response:
        raise httpx.ReadTimeout("the page took more than three seconds")

    monkeypatch.setattr("httpx.head", too_slow)
    try:
        local, _ = launch(settings, "127.0.0.1", free_port(), block=False)
        assert status(local) == 200
    finally:
        gr.close_all()


def test_a_login_is_asked_for_where_users_are_named(settings: Settings) -> None:
    try:
        local, _ = launch(settings, "127.0.0.1", free_port(), auth=[("ada", "lovelace")], block=False)
        assert status(local + "config") == 401
        with pytest.raises(ValueError, match="Could not login"):
            Client(local, verbose=False, auth=("ada", "wrong"))
        assert Client(local, verbose=False, auth=("ada", "lovelace")).predict(api_name="/list_examples")
    finally:
        gr.close_all()


def test_the_command_takes_its_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    from demo import serve

    launched: list[tuple] = []
    monkeypatch.setenv("TUNEBENCH_PUBLIC", "0")  # set first, so that what the command sets is undone afterwards
    monkeypatch.setattr(serve, "launch", lambda *values: launched.append(values))

    def opened(*flags: str) -> tuple:
        monkeypatch.delenv("TUNEBENCH_PUBLIC", raising=False)
        monkeypatch.setattr("sys.argv", ["app.py", *flags])
        serve.main()
        return launched.pop()

    settings, host, port, share, auth, language, mcp = opened()
    assert (settings.public, host, port, share, auth, language, mcp) == (False, "127.0.0.1", 7860, False, [], "", False)
    flags = ["--host", "0.0.0.0", "--port", "9", "--auth", "ada:a:b", "--auth", "bob:c", "--lang", "zh-CN", "--mcp"]
    assert opened(*flags)[1:] == ("0.0.0.0", 9, False, [("ada", "a:b"), ("bob", "c")], "zh-CN", True)
    assert opened("--public")[0].public
    assert opened("--share")[0].public, "a link that strangers may be given is for strangers"
    assert not opened("--share", "--no-public")[0].public
    monkeypatch.setenv("TUNEBENCH_AUTH", "ada:lovelace,bob:x")
    assert opened()[4] == [("ada", "lovelace"), ("bob", "x")]
    with pytest.raises(SystemExit):
        opened("--auth", "nobody")


def test_the_language_of_the_page_can_be_set(settings: Settings) -> None:
    """`--lang` greets who asks for nothing; what they chose before still wins."""
    from types import SimpleNamespace

    from demo.ui import build_demo

    visitor = SimpleNamespace(query_params={}, headers={"accept-language": "en-US,en;q=0.9"})
    for language, remembered, greeted in (("zh-CN", "", "zh-CN"), ("", "", "en"), ("zh-CN", "en", "en")):
        demo = build_demo(settings, language)
        [arrive] = [event.fn for event in demo.fns.values() if event.fn and event.fn.__name__ == "load"]
        assert arrive(remembered, visitor)[0] == greeted


def test_handlers_that_show_no_waiting_burden_no_component_with_it(settings: Settings) -> None:
    """Gradio's page would tell each of their outputs of every message of every handler. Tabs alone need to hear, of their names."""
    import gradio as gr

    from demo.ui import build_demo

    hidden = [event for event in build_demo(settings, "").fns.values() if event.fn and event.targets]
    hidden = [event for event in hidden if event.show_progress == "hidden"]
    assert len(hidden) > 100
    messages = [
        component
        for event in hidden
        for component in (event.outputs if event.show_progress_on is None else event.show_progress_on)
    ]
    assert messages and all(isinstance(component, gr.Tab) for component in messages)


def test_no_file_of_a_run_or_of_the_machine_is_served(served: str, settings: Settings) -> None:
    run: Run = finished_run(settings.runs_dir)
    upload = settings.runs_dir.parent / "uploads" / ("a" * 24) / "mine.csv"
    upload.parent.mkdir(parents=True)
    upload.write_text("secret", encoding="utf-8")
    source = Path(__file__).resolve().parents[2] / "app.py"
    for path in (
        run.path("manifest.json"),
        run.path("report", "report.json"),
        upload,
        Path("/etc/passwd"),
        source.parent / ".git" / "HEAD",
    ):
        assert status(f"{served}gradio_api/file={path}") in (403, 404), path


def test_the_page_says_nothing_to_outsiders_about_analytics_or_history(served: str) -> None:
    with urllib.request.urlopen(served + "config", timeout=20) as answer:
        config = json.load(answer)
    assert config["analytics_enabled"] is False
    assert config.get("footer_links") == []
    assert not config.get("run_history")
