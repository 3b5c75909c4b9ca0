"""The Space of one model: its front matter, and that it runs by itself. Run: python -m pytest tests/engine/export"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from gradio_client import Client

from engine.core.errors import FileProblem
from engine.export.space import make_space
from engine.inference.predictor import load_predictor
from engine.run_directory.store import Run
from tests.fresh import Fresh

pytestmark = pytest.mark.training


@contextmanager
def running(folder: Path, environment: Fresh) -> Iterator[str]:
    """The address of the Space's own app.py."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = environment.environment(
        GRADIO_SERVER_PORT=str(port), GRADIO_SERVER_NAME="127.0.0.1", GRADIO_TEMP_DIR=str(folder.parent / "gradio")
    )
    with (folder.parent / "app.log").open("wb") as log:
        app = subprocess.Popen(
            [str(environment.python), "app.py"],
            cwd=folder,
            env=settings,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert app.poll() is None, (folder.parent / "app.log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.3)
        yield f"http://127.0.0.1:{port}/"
    finally:
        os.killpg(app.pid, signal.SIGTERM)
        app.wait(30)


@pytest.mark.parametrize("which", ["lora_run", "multi_run"])
def test_it_runs_offline_in_a_fresh_environment_and_answers_as_the_page(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, fresh: Callable[[str], Fresh]
) -> None:
    run: Run = request.getfixturevalue(which)
    folder = make_space(run, tmp_path / "space")
    environment = fresh((folder / "requirements.txt").read_text())
    rows = [{"text": "a good film"}, {"text": "the plot was bad " * 40}]
    if which == "multi_run":
        rows = [{**row, "text_pair": "bad film"} for row in rows]
    with running(folder, environment) as url:
        client = Client(url, verbose=False)
        [endpoint] = client.view_api(print_info=False, return_format="dict")["named_endpoints"]
        assert endpoint == "/predict"
        output = [client.predict(**row, api_name="/predict") for row in rows]
    for ours, theirs in zip(load_predictor(run.directory).predict(rows), output, strict=True):
        assert theirs["label"] == ours["label"] and theirs["windows"] == ours["windows"]
        assert theirs["probabilities"] == pytest.approx(ours["probabilities"], abs=1e-5)


def test_its_front_matter_is_what_the_hub_asks_for(full_run: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(make_space(full_run)) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        [readme] = [name for name in archive.namelist() if name.endswith("/README.md")]
        text = archive.read(readme).decode()
        [listed] = [name for name in archive.namelist() if name.endswith("/requirements.txt")]
        requirements = archive.read(listed).decode()
        [described] = [name for name in archive.namelist() if name.endswith("/about.json")]
        about = json.loads(archive.read(described))
    assert {"app.py", "predict.py", "answering.py", "model/model.safetensors", "about.json", ".gitattributes"} <= names
    matter = yaml.safe_load(text.split("---\n")[1])
    assert matter["sdk"] == "gradio" and matter["app_file"] == "app.py" and matter["python_version"] == "3.11"
    assert f"gradio=={matter['sdk_version']}" in requirements
    assert matter["title"] == "Film verdicts" and len(matter["short_description"]) <= 60
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    assert about["examples"] == [], "rows of a person's own data are not published"


def test_a_folder_that_holds_something_is_left_alone(full_run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileProblem) as caught:
        make_space(full_run, tmp_path)
    assert caught.value.code == "not_empty"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_hostile_names_stay_text(runs: Path, sentences: Path, tiny_bert: Path, tmp_path: Path) -> None:
    from engine.export.card import model_card
    from engine.export.source import ExportSource
    from tests.engine.export.conftest import tune

    bad = '<img src=x onerror=alert(1)> | # x\n---\ntitle: "no" `code` [a](javascript:alert(1))'
    run = tune(runs, sentences, tiny_bert, name=bad, training={"epochs": 1})
    folder = make_space(run, tmp_path / "space")
    readme = (folder / "README.md").read_text(encoding="utf-8")
    matter, _, body = readme.removeprefix("---\n").partition("\n---\n")
    assert yaml.safe_load(matter)["sdk"] == "gradio"
    assert json.loads((folder / "about.json").read_text())["title"] == bad
    card = model_card(ExportSource.of(run), "zip")
    front, _, card_body = card.removeprefix("---\n").partition("\n---\n")
    assert yaml.safe_load(front)["pipeline_tag"] == "text-classification"
    for text in (body, card_body.partition("```yaml")[0]):
        assert "<img" not in text and "[a](javascript" not in text and "\n---\n" not in text
