"""The interface for programs: what it offers, what it refuses, and a run from start to answer through it.

Run: python -m pytest tests/demo/test_api.py
"""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from fake_run import finished_run, make_run
from gradio_client import Client
from gradio_client.exceptions import AppError

from demo.launch import launch
from engine.core.settings import Settings
from tests.tiny import save_encoder

DOORS = {"/list_examples", "/start_run", "/run_status", "/run_report", "/predict"}
NO_RUN = "20260101-000000-00000000"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("api")
    return Settings(cache_dir=folder / "cache", runs_dir=folder / "data" / "runs")


@pytest.fixture(scope="module")
def address(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, socket.socket() as free:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        local, _ = launch(settings, "127.0.0.1", port, mcp=True, block=False)
        yield local
        gr.close_all()


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


def test_five_doors_and_no_other_are_documented(client: Client) -> None:
    offered = client.view_api(print_info=False, return_format="dict")
    assert set(offered["named_endpoints"]) == DOORS and not offered["unnamed_endpoints"]
    for name, door in offered["named_endpoints"].items():
        assert door["description"], name
        for parameter in door["parameters"]:
            assert parameter["parameter_name"] != "request"
            assert parameter["python_type"]["type"], (name, parameter)


def test_the_examples_of_a_task(client: Client) -> None:
    result = client.predict("qa", api_name="/list_examples")
    assert result and {entry["task"] for entry in result} == {"qa"}
    assert len(client.predict(api_name="/list_examples")) > len(result)


def test_what_is_refused_is_said_with_a_code(client: Client, settings: Settings, tmp_path: Path) -> None:
    finished_run(settings.runs_dir)

    def code(*values: object, door: str, **named: object) -> str:
        with pytest.raises(AppError) as caught:
            client.predict(*values, api_name=door, **named)
        return str(caught.value).partition(":")[0]

    assert code(NO_RUN, door="/run_status") == "no_such_run"
    assert code("../../etc/passwd", door="/run_report") == "no_such_run"
    assert code(NO_RUN, ["text"], door="/predict") == "no_such_run"
    assert code(door="/start_run") == "bad_config"
    assert code(door="/start_run", example="rated-sentences", settings={"training.epochs": -1}) == "bad_config"
    assert code(door="/start_run", example="rated-sentences", settings={"task.name": 1}) == "bad_setting"
    secret = tmp_path / "secret.csv"
    secret.write_text("text,label\na,b\n")
    assert code(door="/start_run", settings={"data.train": str(secret)}) == "no_paths"
    assert code(door="/start_run", settings={"data": {"train": str(secret)}}) == "no_paths"
    run = make_run(settings.runs_dir)
    assert code(run.id, [17], door="/predict") == "bad_row"
    assert code(run.id, ["x"] * 300, door="/predict") == "too_many_rows"
    assert code(run.id, ["x" * 200_000], door="/predict") == "bad_row"


def test_a_failed_run_says_why_without_naming_places(client: Client, settings: Settings) -> None:
    error = {
        "kind": "FileProblem",
        "code": "no_file",
        "message": {"en": "It is not there.", "zh": "不存在。"},
        "hint": None,
        "where": {"file": "/srv/secret"},
    }
    run = make_run(settings.runs_dir, state="failed", error=error)
    status = client.predict(run.id, api_name="/run_status")
    assert status["ended"] and status["error"] == {"code": "no_file", "message": "It is not there.", "hint": None}
    assert "/srv" not in json.dumps(status)


@pytest.mark.training
def test_a_run_from_start_to_answer(client: Client, settings: Settings, tmp_path: Path) -> None:
    model = save_encoder("bert", tmp_path / "tiny")
    words = ["the", "a", "was", "is", "very", "film", "cast", "it", "and", "but", "plot", "music"]
    rows = [
        f"{words[i % 12]} {words[i // 12]} {'good' if i % 2 else 'bad'},{'yes' if i % 2 else 'no'}" for i in range(120)
    ]
    started = client.predict(
        table="words,verdict\n" + "\n".join(rows),
        columns={"text": "words", "label": "verdict"},
        settings={"model.id": str(model), "training.epochs": 12, "training.learning_rate": 3e-3},
        api_name="/start_run",
    )
    assert started["state"] in ("queued", "running") and started["address"] == f"?run={started['run']}"
    deadline = time.monotonic() + 120
    while not (status := client.predict(started["run"], api_name="/run_status"))["ended"]:
        assert time.monotonic() < deadline
        assert 0 <= status["done"] <= 1
        time.sleep(0.5)
    assert status["state"] == "completed" and status["headline"]["value"] > 0.8
    assert client.predict(started["run"], api_name="/run_report").startswith("# Evaluation report")
    assert client.predict(started["run"], "zh-CN", api_name="/run_report").startswith("# 评估报告")
    [good, bad] = client.predict(started["run"], ["film the good", "film the bad"], api_name="/predict")
    assert (good["label"], bad["label"]) == ("yes", "no")


def test_a_public_page_limits_programs_by_their_address(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace
    from types import SimpleNamespace

    from demo.api import Api
    from demo.page import Page

    monkeypatch.setenv("TUNEBENCH_PUBLIC", "1")
    monkeypatch.setattr("engine.runs.process.start", lambda run: None)
    page = Page.from_settings(
        replace(settings, public=True, max_per_visitor=2, max_epochs=10, runs_dir=settings.runs_dir / "public")
    )

    def request(host: str, username: str | None = None) -> SimpleNamespace:
        cookie = {"cookie": f"tunebench_visitor={page.visitors.new()}"}
        return SimpleNamespace(username=username, headers=cookie, client=SimpleNamespace(host=host), request=None)

    api = Api(page)
    table = "text,label\n" + "".join(f"text {i},{'yes' if i % 2 else 'no'}\n" for i in range(40))
    started = [
        api.start_run(table=table, settings={"model.id": "minilm"}, request=request("10.0.0.1")) for _ in range(2)
    ]
    with pytest.raises(gr.Error, match="too_many_runs"):
        api.start_run(table=table, request=request("10.0.0.1"))
    assert api.start_run(table=table, request=request("10.0.0.2"))["state"] == "queued"
    assert api.start_run(table=table, request=request("10.0.0.1", "ada"))["state"] == "queued"
    with pytest.raises(gr.Error, match="bad_config"):
        api.start_run(table=table, settings={"training.epochs": 500}, request=request("10.0.0.3"))
    with pytest.raises(gr.Error, match="bad_config"):
        api.start_run(table=table, settings={"model.id": "/srv/model"}, request=request("10.0.0.3"))
    # What has a link can be read; the address is in no manifest.
    assert api.run_status(started[0]["run"], request=request("10.0.0.9"))["state"] == "queued"
    assert "10.0.0.1" not in page.store.get(started[0]["run"]).path("manifest.json").read_text()


def test_the_same_doors_are_mcp_tools_with_their_arguments(address: str) -> None:
    import asyncio

    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def ask() -> tuple[dict[str, dict], str]:
        async with (
            streamablehttp_client(f"{address}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            listed = await session.list_tools()
            answer = await session.call_tool("list_examples", {"task": "ner"})
            return {tool.name: tool.inputSchema for tool in listed.tools}, answer.content[0].text

    tools, output = asyncio.run(ask())
    assert {f"/{name}" for name in tools} == DOORS
    assert set(tools["start_run"]["properties"]) == {"task", "example", "table", "columns", "settings"}
    assert "rows" in tools["predict"]["properties"] and "help-desk-entities-en" in output


def test_nothing_else_can_be_asked_for_by_name(address: str) -> None:
    with urllib.request.urlopen(address + "config", timeout=20) as answer:
        config = json.load(answer)
    shown = {entry["api_name"] for entry in config["dependencies"] if entry["api_visibility"] == "public"}
    assert {f"/{name}" for name in shown} == DOORS
