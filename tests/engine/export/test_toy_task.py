"""A task is exported by what stands in its own folder alone. Run: python -m pytest tests/engine/export/test_toy_task.py"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.assets import EXAMPLES
from engine.export.source import ExportSource
from engine.export.space import write_space
from engine.inference.predictor import load_predictor
from engine.run_directory.store import Run, open_run
from engine.tasks import TASKS
from tests.engine.export.test_space_folder import running
from tests.engine.export.toy.spec import ToySpec
from tests.fresh import Fresh

pytestmark = pytest.mark.training


@pytest.fixture
def toy_run(full_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A classifier's run under the name of the toy task."""
    monkeypatch.setitem(TASKS, "toy", ToySpec())
    folder = tmp_path / full_run.id
    shutil.copytree(full_run.directory, folder)
    for name in ("manifest.json", "model/tunebench.json"):
        values = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps({**values, "task": "toy"}), encoding="utf-8")
    return open_run(str(folder))


def test_a_task_of_the_tests_is_exported_without_a_line_for_it(
    toy_run: Run, full_run: Run, tmp_path: Path, fresh: Callable[[str], Fresh]
) -> None:
    from gradio_client import Client

    folder = tmp_path / "space"
    source = ExportSource.of(toy_run)
    source.config.data.example = next(iter(EXAMPLES))
    write_space(source, folder)
    assert (folder / "tunebench_decode" / "engine_export_toy_decode.py").is_file()
    [expected] = load_predictor(full_run.directory).predict(["a good film"])
    shouted = {"shout": f"{expected['label'].upper()}!", "of": "a good film"}
    assert len(json.loads((folder / "about.json").read_text())["examples"]) == 3
    environment = fresh((folder / "requirements.txt").read_text())
    assert json.loads(environment.run("predict.py", "a good film", cwd=folder)) == {"text": "a good film", **shouted}
    with running(folder, environment) as url:
        client = Client(url, verbose=False)
        [(name, endpoint)] = client.view_api(print_info=False, return_format="dict")["named_endpoints"].items()
        assert name == "/predict", "examples add no endpoint of their own"
        assert [parameter["parameter_name"] for parameter in endpoint["parameters"]] == ["text"]
        assert client.predict(text="a good film", api_name="/predict") == shouted
