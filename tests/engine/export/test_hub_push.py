"""Pushing to the hub, against a small one of our own. Run: python -m pytest tests/engine/export/test_hub_push.py"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from engine.core.errors import ConfigProblem
from engine.export.hub import upload_plan
from engine.export.repo_name import check_repo_name
from engine.run_directory.store import Run
from tests.engine.export.upload_hub import READ_ONLY, TOKEN, UploadHub

pytestmark = pytest.mark.training
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def hub() -> Iterator[UploadHub]:
    running = UploadHub()
    yield running
    running.close()


def export(run: Run, hub: UploadHub, *flags: str, token: str = TOKEN) -> subprocess.CompletedProcess:
    """The command in a process of its own: the hub's client reads its settings once, when it is imported."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TUNEBENCH_"))}
    environment |= {
        "HF_ENDPOINT": hub.endpoint,
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(run.path("hf")),
    }
    command = [sys.executable, "-m", "engine", "export", str(run.directory), "--to", "hub", "--json", *flags]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False)


def test_the_plan_is_shown_and_nothing_is_asked_of_the_hub(lora_run: Run, hub: UploadHub) -> None:
    done = export(lora_run, hub, "--repo", "ada/verdicts")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout.splitlines()[-1])
    assert plan["pushed"] is False and hub.calls == []
    assert plan["files"]["model.safetensors"] > 1000 and "README.md" in plan["files"]
    assert yaml.safe_load(plan["card"].split("---\n")[1])["pipeline_tag"] == "text-classification"
    assert "Nothing was uploaded" in done.stderr
    assert not list(lora_run.path("export").glob(".packing-*"))


def test_a_push_is_private_complete_and_keeps_no_token(lora_run: Run, hub: UploadHub, tmp_path: Path) -> None:
    done = export(lora_run, hub, "--repo", "ada/verdicts", "--push")
    assert done.returncode == 0, done.stderr
    stored = hub.repos["model", "ada/verdicts"]
    assert stored["private"] is True
    output = json.loads(done.stdout.splitlines()[-1])
    assert set(stored["files"]) == set(output["files"])
    assert {name: len(content) for name, content in stored["files"].items()} == output["files"]
    assert output["out"] == f"{hub.endpoint}/ada/verdicts"
    assert not [name for name in stored["files"] if name.startswith("report") or name.endswith((".bin", ".pt"))]
    for text in (
        done.stdout,
        done.stderr,
        *(p.read_text(errors="replace") for p in lora_run.directory.rglob("*") if p.is_file()),
    ):
        assert TOKEN not in text

    # What lies there is a model that answers as the run does.
    from engine.inference.predictor import load_predictor

    for name, content in stored["files"].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    there = load_predictor(tmp_path).predict(["a good film"])[0]["probabilities"]
    here = load_predictor(lora_run.directory).predict(["a good film"])[0]["probabilities"]
    assert there == pytest.approx(here, abs=1e-4)


def test_a_second_push_leaves_who_may_see_it_as_it_is(full_run: Run, hub: UploadHub) -> None:
    assert export(full_run, hub, "--repo", "ada/open", "--push", "--public").returncode == 0
    assert hub.repos["model", "ada/open"]["private"] is False
    assert export(full_run, hub, "--repo", "ada/open", "--push").returncode == 0
    assert hub.repos["model", "ada/open"]["private"] is False


def test_a_space_is_pushed_as_one(full_run: Run, hub: UploadHub) -> None:
    assert export(full_run, hub, "--repo", "ada/page", "--push", "--space").returncode == 0
    stored = hub.repos["space", "ada/page"]
    assert stored["sdk"] == "gradio" and {"app.py", "requirements.txt", "model/model.safetensors"} <= set(
        stored["files"]
    )


@pytest.mark.parametrize(("token", "code"), [("hf_" + "q" * 30, "hub_token"), (READ_ONLY, "hub_forbidden")])
def test_a_token_that_is_not_accepted_is_told_and_not_repeated(
    token: str, code: str, full_run: Run, hub: UploadHub
) -> None:
    done = export(full_run, hub, "--repo", "ada/verdicts", "--push", token=token)
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == code
    assert token not in done.stdout + done.stderr


def test_a_hub_that_is_not_there_is_told(full_run: Run, hub: UploadHub) -> None:
    hub.close()
    hub.server.server_close()
    done = export(full_run, hub, "--repo", "ada/verdicts", "--push")
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == "hub_unreachable"


@pytest.mark.parametrize(
    "name", ["", "verdicts", "ada/", "ada/../etc", "ada/ver dicts", "a/b/c", "-ada/x", "ada/x.git"]
)
def test_a_name_that_no_hub_takes_is_refused_before_anything_is_written(name: str, full_run: Run) -> None:
    with pytest.raises(ConfigProblem) as caught:
        check_repo_name(name)
    assert caught.value.code == "bad_repository"
    with pytest.raises(ConfigProblem), upload_plan(full_run, name):
        raise AssertionError("there is no plan")
