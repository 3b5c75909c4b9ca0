"""The page as it is served. Run: python -m pytest tests/demo/test_launch.py"""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from fake_run import finished_run

from demo.launch import launch
from engine.runs.store import Run
from engine.settings import Settings


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
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def unreachable(*_: object, **__: object) -> str:
        raise RuntimeError("no share server here")

    monkeypatch.setattr("gradio.networking.setup_tunnel", unreachable)
    try:
        local, link = launch(settings, "127.0.0.1", free_port(), share=True, block=False)
        assert link is None
        assert status(local) == 200
        assert "could not be made" in capsys.readouterr().out
    finally:
        gr.close_all()


def test_no_handler_is_offered_as_an_interface(served: str) -> None:
    with urllib.request.urlopen(served + "gradio_api/info", timeout=20) as answer:
        assert json.load(answer) == {"named_endpoints": {}, "unnamed_endpoints": {}}


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
