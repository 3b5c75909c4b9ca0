"""Training and answering on ZeroGPU, with a stand-in that enforces its rules. Run: python -m pytest tests/zero"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from engine.config import RunConfig
from engine.core.settings import Settings
from engine.inference.predictor import load_predictor
from engine.models.device import choose_device
from engine.run_directory.store import Run
from engine.runs.api import train
from tests.tiny import save_encoder

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("zero")
    words = ["the", "a", "was", "is", "very", "film", "cast", "it", "and", "but", "plot", "music"]
    rows = [
        f"{words[i % 12]} {words[i // 12]} {'good' if i % 2 else 'bad'},{'yes' if i % 2 else 'no'}\n"
        for i in range(140)
    ]
    table = folder / "table.csv"
    table.write_text("text,label\n" + "".join(rows), encoding="utf-8")
    training = {"epochs": 30, "learning_rate": 1e-3, "batch_size": 8, "precision": "fp32", "early_stopping": 0}
    described = {
        "data": {"train": str(table)},
        "model": {"id": str(save_encoder("bert", folder / "model"))},
        "training": training,
        "evaluation": {"bootstrap_samples": 100},
    }
    return {"folder": folder, "config": RunConfig.from_dict(described)}


def drive(material: dict[str, Any], folder: Path, seconds: float, faster: float = 1) -> dict[str, Any]:
    config = folder / "config.yaml"
    config.write_text(material["config"].to_yaml(), encoding="utf-8")
    environment = {
        **os.environ,
        "SPACES_ZERO_GPU": "true",
        "PYTHONPATH": f"{HERE}{os.pathsep}{ROOT}",
        "HF_HUB_OFFLINE": "1",
        "STAND_IN_FASTER": str(faster),
        "OMP_NUM_THREADS": "1",
        "TUNEBENCH_CHECKPOINT_SECONDS": "1",
    }
    command = [
        sys.executable,
        str(HERE / "drive.py"),
        str(folder / "runs"),
        str(config),
        str(folder / "out.json"),
        str(seconds),
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "out.json").read_text(encoding="utf-8"))


@pytest.mark.training
def test_slices_come_to_what_one_go_comes_to(material: dict[str, Any], tmp_path: Path) -> None:
    output = drive(material, tmp_path, seconds=0.4)
    run = Run(tmp_path / "runs" / output["run"])
    assert output["state"] == "completed", run.log_tail()
    trained = [seconds for name, seconds in output["calls"] if name == "train_slice"]
    assert len(trained) > 1, "it must take more than one slice to tell anything"
    assert max(seconds for _, seconds in output["calls"]) <= 120
    resumed = [event["step"] for event in run.events()[0] if event["type"] == "resumed"]
    assert len(resumed) == len(trained) - 1 and all(step > 0 for step in resumed) and resumed == sorted(resumed)

    alone = train(material["config"], runs_dir=tmp_path / "alone")
    ours, theirs = ([e for e in r.events()[0] if e["type"] == "evaluation"] for r in (alone, run))
    assert theirs[-1]["step"] == ours[-1]["step"]
    assert theirs[-1]["loss"] == pytest.approx(ours[-1]["loss"], abs=1e-4)
    assert run.manifest.headline["value"] == pytest.approx(alone.manifest.headline["value"], abs=1e-6)
    assert output["labels"] == ["no", "yes"] and ("answer_on_gpu", 30) in [tuple(call) for call in output["calls"]]
    here = load_predictor(run.directory, choose_device("cpu")).predict(["a good film"])[0]
    assert output["answer"]["label"] == here["label"]


@pytest.mark.training
def test_a_slice_that_is_cut_off_before_a_checkpoint_is_told(material: dict[str, Any], tmp_path: Path) -> None:
    """A limit far too short: nothing is repeated for ever, and the run can be resumed."""
    output = drive(material, tmp_path, seconds=60, faster=60)
    assert output["error"] == "no_slice" and len(output["calls"]) == 1
    assert Run(tmp_path / "runs" / output["run"]).state in ("interrupted", "queued")


def test_without_zerogpu_the_page_takes_the_ordinary_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from demo.page import Page

    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    settings = Settings.from_env(runs_dir=tmp_path / "data" / "runs")
    assert settings.sliced is False and Page.from_settings(settings).zero is None
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert Settings.from_env().sliced is True


def test_the_stand_in_keeps_the_rules() -> None:
    result = importlib.util.spec_from_file_location("stand_in", HERE / "spaces.py")
    spaces = importlib.util.module_from_spec(result)
    result.loader.exec_module(spaces)

    async def coroutine() -> None:
        await asyncio.sleep(0)

    with pytest.raises(NotImplementedError):
        spaces.GPU(coroutine)
    with pytest.raises(gr.Error, match="illegal duration"):
        spaces.GPU(duration=300)(print)("x")
    assert spaces.GPU(duration=lambda text: 5)(str.upper)("x") == "X"
