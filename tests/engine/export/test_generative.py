"""Generative models are exported as the others are: the same summaries by zip, as a Space and on the hub.

Run: python -m pytest tests/engine/export/test_generative.py
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.core.errors import RunProblem
from engine.export.hub import upload_plan
from engine.export.package import make_onnx, make_zip
from engine.export.source import ExportSource
from engine.export.space import make_space
from engine.inference.predictor import load_predictor
from engine.run_directory.store import Run
from tests.engine.export.conftest import tune
from tests.engine.export.test_space_folder import running
from tests.engine.export.test_tasks import said, unpacked
from tests.fresh import Fresh
from tests.tiny_generators import save_generator, table

pytestmark = pytest.mark.training
LONG = "the good film was fine. " * 40
WAYS = {
    "decoder": ("llama", "full"),
    "encoder_decoder": ("t5", "lora"),
    "prefix": ("gpt2", "prefix"),
    "ia3": ("qwen2", "ia3"),
}


@pytest.fixture(scope="module", params=WAYS)
def run(request: pytest.FixtureRequest, runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of a tiny model; long documents are read in parts, so that all of the writing is in what it answers."""
    family, method = WAYS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    return tune(
        runs,
        table(folder / "texts.jsonl", 120),
        save_generator(family, folder / "model"),
        task="summarization",
        method={"name": method},
        generation={"long_documents": "parts", "max_new_tokens": 16},
        training={"epochs": 20, "learning_rate": 1e-2, "batch_size": 8, "early_stopping": 0, "precision": "fp32"},
    )


def asked(run: Run) -> list[dict[str, str]]:
    with run.path("data", "test.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line)["inputs"] for _, line in zip(range(5), file, strict=False)]
    return [{"document": row["document"]} for row in rows] + [{"document": LONG}]


def test_the_zip_summarises_as_the_page_does(run: Run, tmp_path: Path, fresh: Callable[[str], Fresh]) -> None:
    folder = unpacked(make_zip(run), tmp_path / "elsewhere")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pth", ".pkl"))]
    assert {
        "model/model.safetensors",
        "report/report.html",
        "run/config.yaml",
        "tunebench_decode/generation_generator.py",
    } <= files
    method = run.config.method.name
    assert ("adapter/adapter_model.safetensors" in files) == (method in ("lora", "ia3"))
    assert ("model/adapter/adapter_model.safetensors" in files) == (method == "prefix")
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert ("cannot be merged" in card) == ("无法合并" in card) == (method == "prefix")
    private = (str(run.directory), str(Path.home()), run.config.model.id, run.config.data.train)
    for name in files:
        if not name.endswith(".safetensors"):
            assert not [word for word in private if word in (folder / name).read_text(encoding="utf-8")], name

    environment = fresh((folder / "requirements.txt").read_text())
    rows = asked(run)
    predictor = load_predictor(run.directory)
    expected = predictor.predict(rows)
    assert expected[-1]["parts"] > 1
    if method == "ia3":  # factors on features that mean nothing tell no two texts apart, but they say something else
        assert expected != predictor.predict(rows, base=True)
    else:
        assert len({answer["summary"] for answer in expected}) > 1
    assert said(folder, environment, rows) == expected
    environment.run("-c", "import importlib.util as u; assert u.find_spec('engine') is None", cwd=folder)


@pytest.mark.parametrize("run", ["encoder_decoder"], indirect=True)
def test_the_space_answers_as_the_page_does(run: Run, tmp_path: Path, fresh: Callable[[str], Fresh]) -> None:
    from gradio_client import Client

    folder = make_space(run, tmp_path / "space")
    document = asked(run)[0]["document"]
    with running(folder, fresh((folder / "requirements.txt").read_text())) as url:
        client = Client(url, verbose=False)
        assert list(client.view_api(print_info=False, return_format="dict")["named_endpoints"]) == ["/predict"]
        assert [client.predict(document, api_name="/predict")] == load_predictor(run.directory).predict([document])


@pytest.mark.parametrize("run", ["decoder"], indirect=True)
def test_what_the_space_writes_grows_as_on_the_page(run: Run, tmp_path: Path, fresh: Callable[[str], Fresh]) -> None:
    folder = make_space(run, tmp_path / "space")
    document = asked(run)[0]["document"]
    code = (
        "import json, sys, app\n"
        "from types import SimpleNamespace\n"
        "length = app.model.answering.spec.max_new_tokens\n"
        "def ask(tokens, beams): return list(app.generate(tokens, beams, 0, SimpleNamespace(session_hash='a'), sys.argv[1]))\n"
        "def stopped(by):\n"
        "    text = app.generate(length, 1, 0, SimpleNamespace(session_hash='a'), sys.argv[1])\n"
        "    begun = next(text)\n"
        "    app.stop_generation(SimpleNamespace(session_hash=by))\n"
        "    return [begun, *text]\n"
        "whole = ask(length, 1)\n"
        "print(json.dumps([whole, ask(4, 3), stopped('a'), stopped('b'), len(app.running)]))"
    )
    environment = fresh((folder / "requirements.txt").read_text())
    grown, drafts, halted, others, left = json.loads(environment.run("-c", code, document, cwd=folder))
    assert grown[0] == "" and grown[-1] == load_predictor(run.directory).predict([document])[0]["summary"]
    assert len(drafts) == 2, "with several drafts the text appears when it is finished"
    assert len(halted) <= 2 < len(grown) and halted[-1] != grown[-1], (halted, grown)
    assert others == grown, "and nobody else's"
    assert left == 0, "a request that has ended is still waited for"


def test_the_hub_is_shown_what_it_would_get(run: Run) -> None:
    with upload_plan(run, "ada/summaries") as plan:
        files = dict(plan.files)
    matter = yaml.safe_load(plan.card.split("---\n")[1])
    assert matter["pipeline_tag"] == "summarization"
    assert {metric["type"] for metric in matter["model-index"][0]["results"][0]["metrics"]} == {"rouge"}
    assert "Check a summary against its text" in plan.card and "hf download ada/summaries" in plan.card
    assert {
        "model.safetensors",
        "predict.py",
        "answering.py",
        "tunebench_decode/generation_generator.py",
        "tunebench.json",
    } <= set(files)
    assert ("adapter/adapter_config.json" in files) == (run.config.method.name == "prefix")


def test_onnx_is_refused_with_the_reason_before_any_work(run: Run, tmp_path: Path) -> None:
    ways: list[Callable[[], Any]] = [
        lambda: make_onnx(run, tmp_path / "out.zip"),
        lambda: make_zip(run, tmp_path / "out.zip", onnx=True),
        lambda: upload_plan(run, "ada/summaries", onnx=True).__enter__(),
    ]
    for way in ways:
        with pytest.raises(RunProblem) as caught:
            way()
        assert caught.value.code == "no_onnx" and "token by token" in caught.value.message.en
    assert not list(tmp_path.iterdir())


def test_the_class_that_loads_it_is_named(run: Run) -> None:
    expected = "AutoModelForSeq2SeqLM" if run.config.method.name == "lora" else "AutoModelForCausalLM"
    assert ExportSource.of(run).auto_class == expected
