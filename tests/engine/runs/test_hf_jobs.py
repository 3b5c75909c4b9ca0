"""A run sent to a job and brought home, against a double of the hub's client that keeps its signatures and really does the job.

Run: python -m pytest tests/engine/runs/test_elsewhere.py
"""

from __future__ import annotations

import fnmatch
import inspect
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import HfApi, JobStage

from engine.config import RunConfig
from engine.core.errors import ConfigProblem, RunFailure, RunProblem
from engine.inference.predictor import load_predictor
from engine.report.files import load_report
from engine.run_directory.store import Run, Store
from engine.runs import hf_jobs, job_script

TOKEN = "hf_" + "j0bs3cr3t" * 4
SHORT = {"epochs": 2, "learning_rate": 3e-3, "batch_size": 16, "early_stopping": 0}


class Hub:
    """Repositories are folders. A call that the real client would not take is a TypeError here too."""

    token = TOKEN

    def __init__(self, folder: Path, fails: bool = False):
        self.folder, self.fails = folder, fails
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.stages = [JobStage.SCHEDULING if hasattr(JobStage, "SCHEDULING") else "SCHEDULING", "RUNNING"]
        self.code: int | None = None

    def __getattr__(self, name: str) -> Any:
        real = inspect.signature(getattr(HfApi, name))

        def call(*values: Any, **named: Any) -> Any:
            bound = real.bind(self, *values, **named)
            given = {key: value for key, value in bound.arguments.items() if key != "self"}
            self.calls.append((name, given))
            return getattr(self, f"do_{name}")(**given)

        return call

    def place(self, repo: str) -> Path:
        return self.folder / repo.replace("/", "--")

    def do_whoami(self) -> dict[str, Any]:
        return {"name": "ada"}

    def do_create_repo(self, repo_id: str, private: bool, repo_type: str, exist_ok: bool) -> None:
        assert private and repo_type == "dataset" and not exist_ok
        self.place(repo_id).mkdir(parents=True)

    def do_upload_folder(
        self, repo_id: str, folder_path: Path, path_in_repo: str = "", ignore_patterns: Any = (), **_: Any
    ) -> None:
        for path in Path(folder_path).rglob("*"):
            inner = str(path.relative_to(folder_path))
            if path.is_file() and not any(fnmatch.fnmatch(inner, pattern) for pattern in ignore_patterns):
                target = self.place(repo_id) / path_in_repo / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)

    def do_snapshot_download(self, repo_id: str, local_dir: Any, allow_patterns: Any = ("*",), **_: Any) -> None:
        origin = self.place(repo_id)
        for path in origin.rglob("*"):
            inner = str(path.relative_to(origin))
            if path.is_file() and any(fnmatch.fnmatch(inner, pattern) for pattern in allow_patterns):
                target = Path(local_dir) / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)

    def do_run_uv_job(self, script: str, script_args: list[str], **_: Any) -> Any:
        assert Path(script) == Path(job_script.__file__)
        if not self.fails:
            self.code = job_script.main(*script_args, api=self)
        return SimpleNamespace(id="job-1")

    def do_inspect_job(self, job_id: str) -> Any:
        assert job_id == "job-1"
        return SimpleNamespace(status=SimpleNamespace(stage=self.stages.pop(0) if self.stages else "COMPLETED"))

    def do_delete_repo(self, repo_id: str, repo_type: str) -> None:
        shutil.rmtree(self.place(repo_id))


@pytest.fixture
def queued(tiny_bert: Path, sentences: Path, runs_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    # A model that a job can name: here the folder stands for the hub's answer.
    monkeypatch.setattr("engine.runs.hf_jobs._refuse_folder", lambda config: None, raising=True)
    described = {
        "data": {"train": str(sentences)},
        "model": {"id": str(tiny_bert)},
        "training": SHORT,
        "name": "far away",
    }
    return Store(runs_dir).create(
        RunConfig.from_dict({**described, "evaluation": {"bootstrap_samples": 200}}), "browser:me"
    )


@pytest.mark.training
def test_a_run_goes_there_and_comes_home(queued: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub = Hub(tmp_path / "hub")
    known = hf_jobs.submit(queued, "t4-small", "30m", api=hub)
    assert (
        known["repo"] == f"ada/tunebench-{queued.id}"
        and json.loads(queued.path("job.json").read_text())["job"] == "job-1"
    )
    requests = dict(hub.calls)["run_uv_job"]
    assert (
        requests["flavor"] == "t4-small" and requests["timeout"] == "30m" and requests["secrets"] == {"HF_TOKEN": TOKEN}
    )
    assert any(line.startswith("torch==") for line in requests["dependencies"])
    assert not [line for line in requests["dependencies"] if line.startswith(("gradio", "onnx"))]
    for path in (tmp_path / "hub").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert TOKEN.encode() not in content and b"browser:me" not in content, path

    output: list[str] = []
    assert hf_jobs.wait(queued, api=hub, poll=0, tell=lambda text: output.append(text.en)) == "COMPLETED"
    assert output == ["Job: scheduling", "Job: running", "Job: completed"]
    assert hf_jobs.bring_back(queued, api=hub) == "completed" and hub.code == 0
    manifest = queued.manifest
    assert manifest.owner == "browser:me" and manifest.name == "far away" and manifest.process is None
    assert manifest.headline["value"] == load_report(queued.path("report"))["headline"]["value"]
    assert manifest.facts["rows"]["train"] > 100 and queued.config.data.train.endswith("sentences.csv")
    assert load_predictor(queued.directory).predict(["a good film"])[0]["label"] in ("positive", "negative")
    assert [event["type"] for event in queued.events()[0]].count("facts") == 1
    assert not hub.place(known["repo"]).exists() and not queued.path("job.json").exists()


@pytest.mark.training
def test_a_job_that_fails_brings_its_cause(queued: Run, tmp_path: Path) -> None:
    broken = queued.config.to_dict()
    broken["data"]["columns"] = {"text": "nothing"}
    queued.path("config.yaml").write_text(RunConfig.from_dict(broken).to_yaml(), encoding="utf-8")
    hub = Hub(tmp_path / "hub")
    hf_jobs.submit(queued, "cpu-basic", "10m", api=hub)
    assert hub.code == 2
    assert hf_jobs.bring_back(queued, keep=True, api=hub) == "failed"
    assert queued.manifest.error["code"] == "missing_column" and "nothing" in queued.log_tail()
    assert queued.path("job.json").is_file(), "kept, as asked"


def test_a_job_that_left_nothing_is_told_and_nothing_is_lost(queued: Run, tmp_path: Path) -> None:
    hub = Hub(tmp_path / "hub", fails=True)
    known = hf_jobs.submit(queued, "cpu-basic", "10m", api=hub)
    with pytest.raises(RunFailure) as caught:
        hf_jobs.bring_back(queued, api=hub)
    assert caught.value.code == "job_left_nothing" and hub.place(known["repo"]).exists()
    with pytest.raises(RunProblem) as caught:
        hf_jobs.submit(queued, "cpu-basic", "10m", api=hub)
    assert caught.value.code == "already_sent"


def test_what_a_job_could_not_see_is_refused_before_anything_is_sent(
    tiny_bert: Path, sentences: Path, runs_dir: Path, tmp_path: Path
) -> None:
    described = {"data": {"train": str(sentences)}, "model": {"id": str(tiny_bert)}}
    run, hub = Store(runs_dir).create(RunConfig.from_dict(described)), Hub(tmp_path / "hub")
    with pytest.raises(ConfigProblem) as caught:
        hf_jobs.submit(run, "cpu-basic", "10m", api=hub)
    assert caught.value.code == "model_stays" and [name for name, _ in hub.calls] == ["whoami"]
    with pytest.raises(RunProblem):
        hf_jobs.bring_back(run, api=hub)
