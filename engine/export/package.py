"""One folder, and one zip, with everything that a tuned model needs to be used without Tunebench.

    README.md            the model card          predict.py  answering.py  device.py  ...   answer with transformers alone
    requirements.txt     pinned                  model/      the whole model, an adapter merged into it where that can be
    adapter/             what was merged         onnx/       where asked for
    run/                 config.yaml, run.json   report/     the evaluation report, without the rows of the test set

A prefix cannot be merged: `model/` is then the base model, and `model/adapter/` what was learned, which `predict.py` puts onto it.

Safetensors only: what would be a pickle never gets in. Knows files; does not know the hub or spaces.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import RunProblem
from engine.core.text import Text
from engine.export.bundled_modules import write_bundled_modules
from engine.export.card import model_card
from engine.export.source import ExportSource, pinned
from engine.report.files import FILES, render_html, render_markdown
from engine.run_directory.store import Run

if TYPE_CHECKING:
    from engine.models.load import LoadedModel

PROGRAM = Path(__file__).parent / "program"
# What a model folder may hold when it leaves. Everything else (untuned.safetensors, PEFT's own README) stays.
_LEAVES = (".safetensors", ".json", ".txt", ".model", ".spm", ".jinja")
_ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
Tell = Callable[[Text], None]


def make_zip(run: Run, destination: Path | None = None, onnx: bool = False, tell: Tell | None = None) -> Path:
    """Pack the run's model into `destination` (or the run's export folder) and return the zip. RunProblem, FileProblem."""
    leaving = ExportSource.of(run)
    path = destination or run.path("export", f"{leaving.slug}.zip")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".packing-") as scratch:
        folder = Path(scratch) / leaving.slug
        write_package(leaving, folder, onnx, tell)
        pack(folder, path)
    return path


def write_package(leaving: ExportSource, folder: Path, onnx: bool = False, tell: Tell | None = None) -> None:
    """Write the folder described above."""
    say = tell or (lambda text: None)
    if onnx:
        check_onnx(leaving)
    folder.mkdir(parents=True)
    say(Text("Writing the model", "正在写出模型"))
    write_model(leaving, folder / "model")
    merged = _is_adapter(leaving) and not leaving.beside
    if merged:
        _write_adapter(leaving, folder / "adapter")
    write_program(leaving, folder)
    requirements = needed(leaving)
    if merged:
        requirements.append("# only to load adapter/ onto the base model yourself:")
        requirements += [f"# {line}" for line in pinned("peft")]
    measured = None
    if onnx:
        from engine.export.onnx import write_onnx

        measured = write_onnx(leaving, folder / "onnx", say)
        requirements.append("# only for predict.py --onnx:")
        requirements += [f"# {line}" for line in pinned("onnxruntime")]
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n", encoding="utf-8")
    _write_run(leaving, folder / "run")
    _write_report(leaving, folder / "report")
    card = model_card(leaving, place="zip", onnx=measured)
    (folder / "README.md").write_text(card, encoding="utf-8")


def make_onnx(run: Run, destination: Path | None = None, tell: Tell | None = None) -> Path:
    """Pack the ONNX files with what answers by them, without PyTorch's weights. RunProblem, RunFailure."""
    from engine.export.onnx import write_onnx

    leaving = ExportSource.of(run)
    check_onnx(leaving)
    path = destination or run.path("export", f"{leaving.slug}-onnx.zip")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".packing-") as scratch:
        folder = Path(scratch) / f"{leaving.slug}-onnx"
        write_model(leaving, folder / "model")
        for weights in folder.joinpath("model").glob("*.safetensors*"):
            weights.unlink()
        measured = write_onnx(leaving, folder / "onnx", tell or (lambda text: None))
        write_program(leaving, folder)
        lines = pinned("onnxruntime", "transformers", "tokenizers", "numpy")
        (folder / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        card = model_card(leaving, place="onnx", onnx=measured)
        (folder / "README.md").write_text(card, encoding="utf-8")
        pack(folder, path)
    return path


def check_onnx(leaving: ExportSource) -> None:
    """RunProblem for a task whose models have no ONNX form here."""
    if not leaving.kind.onnx_outputs:
        raise RunProblem(
            "no_onnx",
            Text(
                "A model that writes is not exported to ONNX: it writes token by token with a memory that grows, and its search for "
                "words is a program around the model, which an ONNX file does not hold.",
                "生成文本的模型不支持导出为 ONNX：它逐个 token 生成，缓存不断增长，而选词的过程是模型之外的程序，ONNX 文件无法包含。",
            ),
            Text("Export it without ONNX, as a zip.", "请不带 ONNX，直接导出为 zip。"),
            run=leaving.run.id,
        )


def needed(leaving: ExportSource, *more: str) -> list[str]:
    """Requirement lines of what predict.py imports, and `more`."""
    adapter = ("peft",) if leaving.beside else ()
    return pinned(*more, "torch", "transformers", "tokenizers", "safetensors", "numpy", *adapter)


def write_model(leaving: ExportSource, folder: Path) -> None:
    """The whole model as transformers reads it, and tunebench.json with what must be known beside the weights."""
    source = leaving.run.path("model")
    folder.mkdir(parents=True)
    if _is_adapter(leaving):
        loaded = load_for_export(leaving)
        loaded.model.save_pretrained(folder)
        loaded.tokenizer.save_pretrained(folder)
    else:
        _copy(source, folder, lambda path: path.suffix in _LEAVES and path.name != "untuned.safetensors")
    description = leaving.description
    if leaving.beside:
        _write_adapter(leaving, folder / "adapter")
    else:
        # Merged, it is a full model, whatever was trained of it.
        description = replace(description, method="full", four_bit=False)
    # A folder of this machine is nobody else's business.
    replace(description, base_model=leaving.base_id).save(folder)


def load_for_export(leaving: ExportSource) -> LoadedModel:
    """The tuned model in float32, an adapter merged; the base model alone where it cannot be."""
    from engine.inference.saved import load_base, load_tuned

    # Weights in 4 bits would lose by merging, and only an NVIDIA GPU reads them: what leaves is whole.
    description = replace(leaving.description, four_bit=False)
    return load_base(description) if leaving.beside else load_tuned(leaving.run.path("model"), description)


def write_program(leaving: ExportSource, folder: Path) -> None:
    """What answers with the model, beside it."""
    for name in ("predict.py", "device.py", *(["reading.py"] if leaving.kind.onnx_outputs else [])):
        shutil.copyfile(PROGRAM / name, folder / name)
    shutil.copyfile(PROGRAM / f"answering_{leaving.task}.py", folder / "answering.py")
    if leaving.kind.rules:
        write_bundled_modules(leaving.kind.rules, folder / "rules")
    if leaving.description.masked:
        from engine.data import personal

        shutil.copyfile(personal.__file__, folder / "personal.py")


def pack(folder: Path, path: Path) -> None:
    """Zip a folder under its own name, in one step: a reader finds the old zip or the new one, whole.

    Weights are random bits: compressing them takes long and saves nothing.
    """
    unfinished = path.with_name(f".{path.name}.part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            stored = file.suffix in (".safetensors", ".onnx", ".data")
            archive.write(
                file,
                str(Path(folder.name) / file.relative_to(folder)),
                zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED,
            )
    unfinished.replace(path)


def _is_adapter(leaving: ExportSource) -> bool:
    return leaving.run.path("model", "adapter_config.json").is_file()


def _write_adapter(leaving: ExportSource, folder: Path) -> None:
    folder.mkdir()
    _copy(leaving.run.path("model"), folder, lambda path: path.name in _ADAPTER)
    config = folder / "adapter_config.json"
    values = json.loads(config.read_text(encoding="utf-8"))
    values["base_model_name_or_path"] = leaving.base_id
    config.write_text(json.dumps(values, indent=1), encoding="utf-8")


def _write_run(leaving: ExportSource, folder: Path) -> None:
    folder.mkdir()
    (folder / "config.yaml").write_text(leaving.config.to_yaml(), encoding="utf-8")
    about = json.dumps(leaving.about(), ensure_ascii=False, indent=1)
    (folder / "run.json").write_text(about, encoding="utf-8")


def _write_report(leaving: ExportSource, folder: Path) -> None:
    folder.mkdir()
    # Rendered anew: the report of the run may name a folder of this machine as its model.
    texts = {name: render_markdown(leaving.report, language) for language, name in FILES.items()}
    texts["report.html"] = render_html(leaving.report)
    texts["report.json"] = json.dumps(leaving.report, ensure_ascii=False, allow_nan=False)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")


def _copy(source: Path, folder: Path, wanted: Callable[[Path], bool]) -> None:
    for path in sorted(source.iterdir()):
        if path.is_file() and not path.is_symlink() and wanted(path):
            shutil.copyfile(path, folder / path.name)
