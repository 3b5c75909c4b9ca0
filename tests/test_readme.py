"""What the READMEs show works: their snippets for programs are taken out and run, their commands are ones that there are.

Run: python -m pytest tests/test_readme.py
"""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from engine.assets import is_cached
from engine.cli import app as command_line

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")


def blocks(readme: str, language: str) -> list[str]:
    text = (ROOT / readme).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def commands(readme: str) -> list[list[str]]:
    """Every command of the shell blocks, in words, without its comment."""
    result = []
    for block in blocks(readme, "sh"):
        for line in block.splitlines():
            words = shlex.split(re.sub(r"^RUN=\$\((.*)\)$", r"\1", line.strip()), comments=True)
            if words:
                result.append(words[: words.index(">")] if ">" in words else words)
    return result


@pytest.mark.parametrize("readme", READMES)
def test_every_flag_of_every_command_is_one_that_there_is(readme: str) -> None:
    known = get_command(command_line).commands
    seen = set()
    for words in commands(readme):
        if words[:3] != ["python", "-m", "engine"]:
            continue
        command = known[words[3]]
        flags = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
        used = {word.partition("=")[0] for word in words[4:] if word.startswith("--")}
        assert used <= flags, f"{' '.join(words)}: {used - flags}"
        seen.add(words[3])
    assert {"train", "predict", "export", "job", "report"} <= seen


@pytest.mark.parametrize("readme", READMES)
def test_the_flags_of_the_app_are_ones_that_there_are(readme: str) -> None:
    messages = subprocess.run(
        [sys.executable, "app.py", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    used = {
        word
        for words in commands(readme)
        if words[:2] == ["python", "app.py"]
        for word in words
        if word.startswith("--")
    }
    assert used and all(flag in messages.stdout for flag in used)


@pytest.mark.parametrize("readme", READMES)
def test_the_mcp_snippet_is_json_with_the_address_that_is_served(readme: str) -> None:
    [result] = [json.loads(block) for block in blocks(readme, "json")]
    assert result["mcpServers"]["tunebench"]["url"].endswith("/gradio_api/mcp/")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    for name in ("minilm", "e5-small", "help-desk-en", "help-desk-zh"):
        if not is_cached(name):
            pytest.skip(f"needs the embedded {name}: python -m engine.assets fetch {name}")
    folder = tmp_path_factory.mktemp("readme")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "TUNEBENCH_RUNS": str(folder / "runs"),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "HF_HUB_OFFLINE": "1",
    }
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                break
            except OSError:
                assert running.poll() is None, (folder / "log").read_text()
                time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(30)


@pytest.mark.training
@pytest.mark.parametrize("readme", READMES)
def test_the_snippet_for_programs_runs_as_it_stands(readme: str, served: str, tmp_path: Path) -> None:
    [snippet] = [block for block in blocks(readme, "python") if "gradio_client" in block]
    assert '"http://127.0.0.1:7860"' in snippet
    # The address is the only thing that differs here; the report and the answer are what it prints.
    program = tmp_path / "snippet.py"
    program.write_text(snippet.replace("http://127.0.0.1:7860", served), encoding="utf-8")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    assert "help-desk-en" in done.stdout and "%" in done.stdout
    answers = done.stdout.strip().splitlines()[-1]
    assert "'label'" in answers and "'confidence'" in answers
