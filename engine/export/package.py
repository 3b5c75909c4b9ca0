"""One folder, and one zip, with everything that a tuned model needs to be used without Tunebench.

    README.md            the model card
    predict.py           the program, with answering.py, encoder.py, device.py and what they need to know of the task: task.json
    tunebench_decode/    the engine's modules that encode inputs and decode outputs
    requirements.txt     pinned
    model/               the whole model, an adapter merged into it where possible
    adapter/             the adapter alone
    onnx/                on request
    run/                 config.yaml, run.json
    report/              the evaluation report, without the rows of the test set

A prefix cannot be merged: `model/` is then the base model, and `model/adapter/` the prefix, which `predict.py` loads onto it.

Weights are safetensors only; pickles are never packed. Knows files; does not know the hub or spaces.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.text import Text
from engine.export.bundled_modules import PACKAGE, flat_name, write_bundled_modules
from engine.export.card import model_card
from engine.export.source import ExportSource, Progress, no_progress, pinned
from engine.report.files import FILES, render_html, render_markdown
from engine.run_directory.store import Run

if TYPE_CHECKING:
    from engine.models.load import LoadedModel

PROGRAM = Path(__file__).parent / "program"
# What is exported of a model folder. Everything else (PEFT's own README) stays, as does untuned.safetensors.
_MODEL_SUFFIXES = (".safetensors", ".json", ".txt", ".model", ".spm", ".jinja")
_ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
PROGRAM_FILES = ("predict.py", "answering.py", "encoder.py", "device.py")
# Masking of the inputs, and answers that refer to the text before it.
MASKING_MODULES = ("engine.data.personal_data", "engine.inference.unmasked")


def make_zip(run: Run, destination: Path | None = None, onnx: bool = False, progress: Progress = no_progress) -> Path:
    """Pack the run's model into `destination` (or the run's export folder) and return the zip. RunProblem, FileProblem."""
    source = ExportSource.of(run)
    path = destination or run.path("export", f"{source.slug}.zip")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".packing-") as scratch:
        folder = Path(scratch) / source.slug
        write_package(source, folder, onnx, progress)
        zip_folder(folder, path)
    return path


def write_package(source: ExportSource, folder: Path, onnx: bool = False, progress: Progress = no_progress) -> None:
    """Write the folder described above."""
    if onnx:
        source.check_onnx()
    folder.mkdir(parents=True)
    progress(Text("Writing the model", "正在写出模型"))
    write_model(source, folder / "model")
    merged = _is_adapter(source) and not source.unmerged_adapter
    if merged:
        _write_adapter(source, folder / "adapter")
    write_program(source, folder)
    requirements = requirement_lines(source)
    if merged:
        requirements.append("# only to load adapter/ onto the base model yourself:")
        requirements += [f"# {line}" for line in pinned("peft")]
    measured = None
    if onnx:
        from engine.export.onnx import write_onnx

        measured = write_onnx(source, folder / "onnx", progress)
        requirements.append("# only for predict.py --onnx:")
        requirements += [f"# {line}" for line in pinned("onnxruntime")]
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n", encoding="utf-8")
    _write_run(source, folder / "run")
    _write_report(source, folder / "report")
    card = model_card(source, place="zip", onnx=measured)
    (folder / "README.md").write_text(card, encoding="utf-8")


def make_onnx(run: Run, destination: Path | None = None, progress: Progress = no_progress) -> Path:
    """Pack the ONNX files with the program that runs them, without PyTorch's weights. RunProblem, RunFailure."""
    from engine.export.onnx import write_onnx

    source = ExportSource.of(run)
    source.check_onnx()
    path = destination or run.path("export", f"{source.slug}-onnx.zip")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".packing-") as scratch:
        folder = Path(scratch) / f"{source.slug}-onnx"
        write_model(source, folder / "model")
        for weights in folder.joinpath("model").glob("*.safetensors*"):
            weights.unlink()
        measured = write_onnx(source, folder / "onnx", progress)
        write_program(source, folder)
        lines = pinned("onnxruntime", "transformers", "tokenizers", "numpy")
        (folder / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        card = model_card(source, place="onnx", onnx=measured)
        (folder / "README.md").write_text(card, encoding="utf-8")
        zip_folder(folder, path)
    return path


def requirement_lines(source: ExportSource, *more: str) -> list[str]:
    """Requirement lines of what predict.py imports, and of the packages `more`."""
    adapter = ("peft",) if source.unmerged_adapter else ()
    return pinned(*more, "torch", "transformers", "tokenizers", "safetensors", "numpy", *adapter)


def write_model(source: ExportSource, folder: Path) -> None:
    """The whole model as transformers reads it, and tunebench.json with what must be known beside the weights."""
    folder.mkdir(parents=True)
    if _is_adapter(source):
        loaded = load_for_export(source)
        loaded.model.save_pretrained(folder)
        loaded.tokenizer.save_pretrained(folder)
    else:
        _copy(
            source.run.path("model"),
            folder,
            lambda path: path.suffix in _MODEL_SUFFIXES and path.name != "untuned.safetensors",
        )
    description = source.description
    if source.unmerged_adapter:
        _write_adapter(source, folder / "adapter")
    else:
        # Merged, it is a full model, whatever part of it was trained.
        description = replace(description, method="full", four_bit=False)
    # Paths of this machine are not exported.
    replace(description, base_model=source.base_id).save(folder)


def load_for_export(source: ExportSource) -> LoadedModel:
    """The tuned model in float32 with its adapter merged; the base model alone where the adapter cannot be merged."""
    from engine.inference.saved import load_base, load_tuned

    # Merging into 4-bit weights loses precision, and only NVIDIA GPUs load them: the export is in full precision.
    description = replace(source.description, four_bit=False)
    return load_base(description) if source.unmerged_adapter else load_tuned(source.run.path("model"), description)


def write_program(source: ExportSource, folder: Path, more: tuple[str, ...] = ()) -> None:
    """The program that answers with the model, and the files `more` of it."""
    export = source.task_export
    for name in (*PROGRAM_FILES, *more):
        shutil.copyfile(PROGRAM / name, folder / name)
    (folder / "task.json").write_text(json.dumps(_task_facts(source), ensure_ascii=False, indent=1), encoding="utf-8")
    masking = MASKING_MODULES if source.description.masked else ()
    write_bundled_modules((*export.modules, *masking), folder / PACKAGE)


def _task_facts(source: ExportSource) -> dict[str, Any]:
    """task.json: what the program has to know of the task, beside the model's own tunebench.json."""
    export = source.task_export
    return {
        "task": source.task,
        "generative": export.generative,
        "auto_class": source.auto_class,
        "logits": export.logits,
        "decode": f"{PACKAGE}.{flat_name(export.decode)}",
        "answer_key": export.answer_keys[0],
        "inputs": {
            name: {**box.to_dict(), "required": name in source.spec.required_inputs}
            for name, box in export.inputs.items()
        },
        "views": [view.to_dict() for view in export.views],
        "button": export.button.to_dict(),
        "missing_input": export.missing_input.to_dict(),
        "description": export.description,
    }


def zip_folder(folder: Path, path: Path) -> None:
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


def _is_adapter(source: ExportSource) -> bool:
    return source.run.path("model", "adapter_config.json").is_file()


def _write_adapter(source: ExportSource, folder: Path) -> None:
    folder.mkdir()
    _copy(source.run.path("model"), folder, lambda path: path.name in _ADAPTER)
    config = folder / "adapter_config.json"
    values = json.loads(config.read_text(encoding="utf-8"))
    values["base_model_name_or_path"] = source.base_id
    config.write_text(json.dumps(values, indent=1), encoding="utf-8")


def _write_run(source: ExportSource, folder: Path) -> None:
    folder.mkdir()
    (folder / "config.yaml").write_text(source.config.to_yaml(), encoding="utf-8")
    facts = json.dumps(source.public_facts(), ensure_ascii=False, indent=1)
    (folder / "run.json").write_text(facts, encoding="utf-8")


def _write_report(source: ExportSource, folder: Path) -> None:
    folder.mkdir()
    # Rendered again, because the run's own report may hold the path of a model on this machine.
    texts = {name: render_markdown(source.report, language) for language, name in FILES.items()}
    texts["report.html"] = render_html(source.report)
    texts["report.json"] = json.dumps(source.report, ensure_ascii=False, allow_nan=False)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")


def _copy(origin: Path, folder: Path, include: Callable[[Path], bool]) -> None:
    for path in sorted(origin.iterdir()):
        if path.is_file() and not path.is_symlink() and include(path):
            shutil.copyfile(path, folder / path.name)
