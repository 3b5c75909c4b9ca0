"""ONNX files answer as the model does, and what is said of them was measured. Run: python -m pytest tests/engine/export"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from engine.core.errors import RunFailure
from engine.export import onnx
from engine.export.package import make_onnx, make_zip
from engine.inference.predictor import load_predictor
from engine.models.device import choose_device
from engine.models.load import LoadedModel
from engine.run_directory.store import Run
from tests.fresh import Fresh
from tests.tiny import save_encoder

pytestmark = pytest.mark.training
LONG = "the film was very good " * 60 + "awful awful plot"


def test_it_answers_without_pytorch_in_a_fresh_environment(
    multi_run: Run, tmp_path: Path, fresh: Callable[[str], Fresh]
) -> None:
    with zipfile.ZipFile(make_onnx(multi_run)) as archive:
        archive.extractall(tmp_path)
        names = archive.namelist()
    [folder] = tmp_path.iterdir()
    assert not [name for name in names if name.endswith(".safetensors")]
    environment = fresh((folder / "requirements.txt").read_text())
    environment.run("-c", "import importlib.util as u; assert u.find_spec('torch') is None", cwd=folder)
    rows = [{"text": text, "text_pair": "bad film"} for text in ("a good film", LONG, "write to ada@example.org")]
    table = tmp_path / "rows.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    lines = environment.run("predict.py", "--file", str(table), cwd=folder).splitlines()
    expected = load_predictor(multi_run.directory, choose_device("cpu", "fp32")).predict(rows)
    for ours, line in zip(expected, lines, strict=True):
        theirs = json.loads(line)
        assert theirs["labels"] == ours["labels"] and theirs["windows"] == ours["windows"]
        assert theirs["probabilities"] == pytest.approx(ours["probabilities"], abs=1e-5)


def test_the_zip_says_beside_the_files_what_was_measured(full_run: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(make_zip(full_run, tmp_path / "out.zip", onnx=True)) as archive:
        archive.extractall(tmp_path / "there")
    [folder] = (tmp_path / "there").iterdir()
    measured = json.loads((folder / "onnx" / "onnx.json").read_text())
    assert measured["rows"] == full_run.manifest.facts["rows"]["test"]
    for name in ("fp32", "int8"):
        result = measured["files"][name]
        size = (folder / "onnx" / result["file"]).stat().st_size
        assert result["megabytes"] == round(size / 1e6, 1) and result["rows_per_second"] > 0
    assert measured["files"]["fp32"]["agreement"] == 1 and measured["files"]["fp32"]["largest_difference"] < 1e-4
    assert measured["files"]["int8"]["agreement"] > 0.5
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "onnx/model.int8.onnx" in card and card.count("## ONNX") == 2


# The others are exported by the parts of PyTorch that these use; one of each kind keeps the tests short.
@pytest.mark.parametrize("family", ["deberta-v2", "modernbert"])
def test_families_with_attention_of_their_own(family: str, tmp_path: Path) -> None:
    folder = save_encoder(family, tmp_path / "model")
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3, attn_implementation="eager").eval()
    loaded = LoadedModel(model, AutoTokenizer.from_pretrained(folder), [], str(folder))
    onnx.export_model(loaded, ("logits",), tmp_path / "model.onnx")
    exported = onnx.OnnxEncoder(tmp_path / "model.onnx", threads=1)
    for shape in ((1, 5), (3, 40)):
        ids = torch.randint(5, 20, shape)
        mask = torch.ones_like(ids)
        mask[-1, 3:] = 0
        with torch.inference_mode():
            expected = model(input_ids=ids, attention_mask=mask).logits
        assert torch.allclose(exported(input_ids=ids, attention_mask=mask).logits, expected, atol=1e-5)


def test_a_file_that_answers_otherwise_is_refused(
    full_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "agreement", lambda expected, got: onnx.Agreement(0.4, 0.9))
    with pytest.raises(RunFailure) as caught:
        make_onnx(full_run, tmp_path / "out.zip")
    assert caught.value.code == "onnx_differs" and not (tmp_path / "out.zip").exists()


def test_agreement_counts_answers_and_measures_numbers() -> None:
    ours = [{"label": "a", "confidence": 0.9}, {"label": "b", "confidence": 0.5}, {"label": "c", "n": 1}]
    theirs = [{"label": "a", "confidence": 0.8}, {"label": "a", "confidence": 0.5}, {"label": "c", "n": 1}]
    result = onnx.agreement(ours, theirs)
    assert result.same == pytest.approx(2 / 3) and result.largest == pytest.approx(0.1)
    assert onnx.agreement([{"spans": [1]}], [{"spans": [1, 2]}]).same == 0
