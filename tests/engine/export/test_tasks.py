"""Entity and question-answering models are exported as classifiers are: the same answers by zip, by ONNX and as a Space.

Run: python -m pytest tests/engine/export/test_tasks.py
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.export.bundled_modules import PACKAGE, closure, flat_name, write_bundled_modules
from engine.export.card import model_card
from engine.export.package import make_onnx, make_zip
from engine.export.source import ExportSource
from engine.export.space import make_space
from engine.inference.predictor import load_predictor
from engine.models.device import choose_device
from engine.run_directory.store import Run, open_run
from engine.tasks import TASKS
from tests.fresh import Fresh

LONG = "the plot was a film " * 40
ASKED: dict[str, list[dict[str, str]]] = {
    "ner_run": [
        {"text": "the film was ann is in paris"},
        {"text": f"{LONG} bob is in rome, {LONG} eve is in oslo"},
        {"text": "  Ann,\tis\u3000in (Paris)!  "},
        {"text": ""},
    ],
    "qa_run": [],  # rows of its own test split, and a context of many windows
}


def questions(run: Run, name: str) -> list[dict[str, str]]:
    if ASKED[name]:
        return ASKED[name]
    with run.path("data", "test.jsonl").open(encoding="utf-8") as file:
        result = [json.loads(line)["inputs"] for _, line in zip(range(6), file, strict=False)]
    rows = [{key: row[key] for key in ("context", "question")} for row in result]
    return [*rows, {"context": " ".join([row["context"] for row in rows] * 6), "question": rows[0]["question"]}]


def assert_close(ours: Any, theirs: Any, within: float) -> None:
    """The same structure, the same words, numbers within reach."""
    if isinstance(ours, float) and isinstance(theirs, float):
        assert theirs == pytest.approx(ours, abs=within)
    elif isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        for key in ours:
            assert_close(ours[key], theirs[key], within)
    elif isinstance(ours, list | tuple):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_close(a, b, within)
    else:
        assert ours == theirs


def said(folder: Path, environment: Fresh, rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    table = folder.parent / "rows.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    lines = environment.run("predict.py", "--file", str(table), cwd=folder).splitlines()
    return [{key: value for key, value in json.loads(line).items() if key not in rows[0]} for line in lines]


def unpacked(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    [inner] = folder.iterdir()
    return inner


@pytest.mark.training
@pytest.mark.parametrize("which", ["ner_run", "qa_run"])
def test_the_zip_answers_as_the_page_does(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, fresh: Callable[[str], Fresh]
) -> None:
    run: Run = request.getfixturevalue(which)
    folder = unpacked(make_zip(run), tmp_path / "elsewhere")
    environment = fresh((folder / "requirements.txt").read_text())
    rows = questions(run, which)
    expected = load_predictor(run.directory).predict(rows)
    assert max(answer["windows"] for answer in expected) > 1
    if which == "ner_run":
        assert len(expected[0]["entities"]) == 2, "a tagger that found nothing would agree with anything"
    assert_close(expected, said(folder, environment, rows), 1e-5)
    environment.run("-c", "import importlib.util as u; assert u.find_spec('engine') is None", cwd=folder)


@pytest.mark.training
def test_answers_about_masked_texts_refer_to_the_text_as_given(
    ner_run: Run, tmp_path: Path, fresh: Callable[[str], Fresh]
) -> None:
    copy = tmp_path / ner_run.id
    shutil.copytree(ner_run.directory, copy)
    description = copy / "model" / "tunebench.json"
    description.write_text(json.dumps({**json.loads(description.read_text()), "masked": True}), encoding="utf-8")
    folder = unpacked(make_zip(open_run(str(copy))), tmp_path / "elsewhere")
    rows = [{"text": "ada.lovelace@example.org : the film was ann is in paris"}, {"text": "bob is in rome"}]
    expected = load_predictor(copy).predict(rows)
    paris = expected[0]["entities"][-1]
    assert rows[0]["text"][paris["start"] : paris["end"]] == paris["text"] == "paris"
    assert_close(expected, said(folder, fresh((folder / "requirements.txt").read_text()), rows), 1e-5)


@pytest.mark.training
@pytest.mark.parametrize("which", ["ner_run", "qa_run"])
def test_onnx_answers_as_the_model_does(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, fresh: Callable[[str], Fresh]
) -> None:
    run: Run = request.getfixturevalue(which)
    folder = unpacked(make_onnx(run), tmp_path / "elsewhere")
    measured = json.loads((folder / "onnx" / "onnx.json").read_text())
    assert measured["files"]["fp32"]["agreement"] == 1
    rows = questions(run, which)
    answers = said(folder, fresh((folder / "requirements.txt").read_text()), rows)
    assert_close(load_predictor(run.directory, choose_device("cpu", "fp32")).predict(rows), answers, 1e-4)


@pytest.mark.training
@pytest.mark.parametrize("which", ["ner_run", "qa_run"])
def test_the_space_answers_as_the_page_does(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, fresh: Callable[[str], Fresh]
) -> None:
    from gradio_client import Client

    from tests.engine.export.test_space_folder import running

    run: Run = request.getfixturevalue(which)
    folder = make_space(run, tmp_path / "space")
    row = questions(run, which)[0]
    with running(folder, fresh((folder / "requirements.txt").read_text())) as url:
        answer = Client(url, verbose=False).predict(**row, api_name="/predict")
    assert_close(load_predictor(run.directory).predict([row])[0], answer, 1e-5)


@pytest.mark.training
@pytest.mark.parametrize("which", ["ner_run", "qa_run"])
def test_the_card_knows_the_task(which: str, request: pytest.FixtureRequest) -> None:
    source = ExportSource.of(request.getfixturevalue(which))
    card = model_card(source, "hub", repo="ada/model")
    matter = yaml.safe_load(card.split("---\n")[1])
    assert matter["pipeline_tag"] == source.task_export.pipeline
    metrics = matter["model-index"][0]["results"][0]["metrics"]
    assert {metric["type"] for metric in metrics} <= set(source.task_export.metric_ids.values()) and metrics
    assert source.task_export.intended_use.zh in card and "## Limits" in card


# Every module that is exported with a generative model; one more is a decision, not an accident.
GENERATION = {
    "core.text", "generation.decode", "generation.generation_spec", "generation.generator", "generation.prompt_encoder",
    "generation.token_stream", "models.batching", "models.speed.few_row_linear", "models.speed.handle",
    "models.speed.preallocated_kv_cache", "models.speed.shrinking_batch", "models.speed.unmasked_prefill", "models.unwrap",
    "schema",
}  # fmt: skip


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("task", TASKS)
def test_the_bundled_modules_are_few_and_need_nothing_of_the_engine(task: str, tmp_path: Path) -> None:
    export = TASKS[task].export
    names = closure(export.modules)
    assert set(export.modules) <= set(names)
    if export.generative:
        assert {name.removeprefix("engine.") for name in names} == GENERATION
    else:
        assert len(names) <= 10
    folder = tmp_path / PACKAGE
    write_bundled_modules(export.modules, folder)
    for path in folder.glob("*.py"):
        for module in imports_of(path):
            assert not module.startswith("engine"), path
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            module = node.module if isinstance(node, ast.ImportFrom) else None
            if (module or "").startswith(f"{PACKAGE}."):
                assert (folder / f"{(module or '').partition('.')[2]}.py").is_file(), module
    # What an ONNX export runs without.
    if export.onnx:
        code = f"import sys, {PACKAGE}.{flat_name(export.decode)}; sys.exit('torch' in sys.modules)"
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=100)


@pytest.mark.parametrize("task", TASKS)
def test_what_a_task_exports_fits_its_roles(task: str) -> None:
    export = TASKS[task].export
    assert tuple(export.inputs) == TASKS[task].inputs
    assert all(view.text_input in export.inputs for view in export.views if view.kind == "spans")
    assert set(export.metric_ids) & set(TASKS[task].metrics)
