"""The zip runs where there is no Tunebench, and answers as the page does. Run: python -m pytest tests/engine/export"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from engine.core.errors import RunProblem
from engine.export.package import make_zip
from engine.export.source import ExportSource
from engine.inference.predictor import load_predictor
from engine.run_directory.store import Run
from tests.fresh import Fresh

pytestmark = pytest.mark.training
LONG = "the film was very good " * 60 + "awful awful plot"
# Of a program that reads in the same number format with the same batches, only the order of sums may differ.
CLOSE = 1e-5


def unpacked(run: Run, folder: Path) -> Path:
    with zipfile.ZipFile(make_zip(run)) as archive:
        archive.extractall(folder)
    [inner] = folder.iterdir()
    return inner


def assert_same_answers(here: list[dict], there: list[dict]) -> None:
    assert [answer["label"] for answer in there] == [answer["label"] for answer in here]
    assert [answer.get("labels") for answer in there] == [answer.get("labels") for answer in here]
    assert [answer["windows"] for answer in there] == [answer["windows"] for answer in here]
    for ours, theirs in zip(here, there, strict=True):
        for label, probability in ours["probabilities"].items():
            assert theirs["probabilities"][label] == pytest.approx(probability, abs=CLOSE)


@pytest.mark.parametrize("which", ["full_run", "lora_run", "multi_run"])
def test_the_zip_answers_as_the_page_does_in_a_fresh_environment(
    which: str, request: pytest.FixtureRequest, tmp_path: Path, fresh: Callable[[str], Fresh]
) -> None:
    run: Run = request.getfixturevalue(which)
    folder = unpacked(run, tmp_path / "elsewhere")
    environment = fresh((folder / "requirements.txt").read_text())
    rows: list[dict[str, str]] = [{"text": text} for text in ("a good film", "the plot was bad", LONG)]
    if which == "multi_run":
        rows = [{**row, "text_pair": "bad film"} for row in rows]
        rows.append({"text": "write to ada@example.org or +49 30 1234567 about music", "text_pair": "film"})
    table = tmp_path / "asked.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    environment.run("predict.py", "--file", str(table), "--out", str(tmp_path / "said.jsonl"), cwd=folder)
    output = [json.loads(line) for line in (tmp_path / "said.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["text"] for row in output] == [row["text"] for row in rows]
    expected = load_predictor(run.directory).predict(rows)
    assert expected[2]["windows"] > 1, "the long text must be one that is read in windows"
    assert_same_answers(expected, output)

    # And there is really no Tunebench there.
    environment.run("-c", "import importlib.util as u; assert u.find_spec('engine') is None", cwd=folder)


def test_from_python_and_with_the_columns_of_the_training_file(
    full_run: Run, tmp_path: Path, fresh: Callable[[str], Fresh]
) -> None:
    folder = unpacked(full_run, tmp_path / "elsewhere")
    environment = fresh((folder / "requirements.txt").read_text())
    code = "import json; from predict import Model; print(json.dumps(Model().predict(['a good film'])))"
    answer = json.loads(environment.run("-c", code, cwd=folder))
    assert_same_answers(load_predictor(full_run.directory).predict(["a good film"]), answer)

    table = tmp_path / "new.csv"
    table.write_text("id,review\n1,a good film\n", encoding="utf-8")
    [line] = environment.run(str(folder / "predict.py"), "--file", str(table), cwd=tmp_path).splitlines()
    assert json.loads(line)["id"] == "1" and json.loads(line)["label"] == answer[0]["label"]

    with pytest.raises(AssertionError, match="row 1 has no text"):
        table.write_text("id,other\n1,a good film\n", encoding="utf-8")
        environment.run("predict.py", "--file", str(table), cwd=folder)


def test_the_adapter_alone_gives_the_same_model_on_its_base(lora_run: Run, tiny_bert: Path, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification

    folder = unpacked(lora_run, tmp_path / "elsewhere")
    base = AutoModelForSequenceClassification.from_pretrained(tiny_bert, num_labels=2)
    adapted = PeftModel.from_pretrained(base, folder / "adapter").eval()
    merged = AutoModelForSequenceClassification.from_pretrained(folder / "model").eval()
    ids = torch.tensor([[1, 5, 7, 9, 2]])
    with torch.inference_mode():
        assert torch.allclose(adapted(ids).logits, merged(ids).logits, atol=1e-5)


@pytest.mark.parametrize("which", ["full_run", "lora_run"])
def test_nothing_in_it_can_run_code_or_tells_of_this_machine(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run: Run = request.getfixturevalue(which)
    run.update(owner="visitor-7f3a")
    folder = unpacked(run, tmp_path / "elsewhere")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"README.md", "predict.py", "model/model.safetensors", "model/tokenizer.json", "report/report.html"} <= files
    assert {"run/config.yaml", "run/run.json", "report/report.zh-CN.md"} <= files
    assert ("adapter/adapter_model.safetensors" in files) == (which == "lora_run")
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pth", ".pkl", ".pickle"))]
    assert "report/predictions.jsonl" not in files

    # A pickle begins with its protocol opcode; safetensors with a length and a JSON header.
    for name in files:
        content = (folder / name).read_bytes()
        if name.endswith(".safetensors"):
            assert content[8:9] == b"{"
            continue
        text = content.decode("utf-8")
        for private in (
            str(run.directory),
            str(Path.home()),
            run.config.model.id,
            run.config.data.train,
            "visitor-7f3a",
        ):
            assert private not in text, f"{name} tells {private}"

    about = json.loads((folder / "run" / "run.json").read_text(encoding="utf-8"))
    assert about["facts"]["data_sha256"] == run.manifest.facts["data_sha256"]
    assert about["facts"]["versions"]["transformers"]
    assert yaml.safe_load((folder / "run" / "config.yaml").read_text())["data"]["train"] == "sentences.csv"


def test_an_exported_model_folder_is_a_model_folder_here_too(lora_run: Run, tmp_path: Path) -> None:
    folder = unpacked(lora_run, tmp_path / "elsewhere")
    ours, theirs = load_predictor(lora_run.directory), load_predictor(folder / "model")
    assert_same_answers(ours.predict(["a good film", LONG]), theirs.predict(["a good film", LONG]))


def test_a_run_without_a_model_is_refused(runs: Path, sentences: Path, tiny_bert: Path) -> None:
    from engine.config import RunConfig
    from engine.run_directory.store import Store

    queued = Store(runs).create(RunConfig.from_dict({"data": {"train": str(sentences)}}))
    with pytest.raises(RunProblem) as caught:
        ExportSource.of(queued)
    assert caught.value.code == "not_finished"


def test_packing_that_fails_leaves_the_older_zip(
    full_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_zip(full_run, tmp_path / "out.zip")
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    with pytest.raises(OSError):
        make_zip(full_run, path)
    assert path.read_bytes() == before
