"""A tuned encoder as ONNX, in float32 and with int8 weights, and how each compares with PyTorch: measured, never assumed.

    onnx/model.onnx       float32          onnx/onnx.json   sizes, agreement and speed on test rows
         model.int8.onnx  weights of the matrix products in 8 bits, activations quantised dynamically

Knows exporting, quantising and comparing answers of any task. Does not know what an answer means.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from engine.core.errors import RunFailure
from engine.core.text import Text
from engine.export.source import ExportSource, Progress
from engine.inference.readers import reader_for
from engine.inference.saved import Description, load_tuned
from engine.models.device import Device
from engine.run_directory.store import Run
from engine.schema import Example
from engine.tasks import TASKS
from engine.tasks.model import task_model

if TYPE_CHECKING:
    from engine.models.load import LoadedModel

MAX_ROWS = 200  # test rows that are compared; more would take long for no better estimate
# Of float32 against float32, where only the order of sums differs. A larger difference means a wrong export.
TOLERANCE = 1e-3
FILES = {"fp32": "model.onnx", "int8": "model.int8.onnx"}


def write_onnx(source: ExportSource, folder: Path, progress: Progress) -> dict[str, Any]:
    """Write both files and onnx.json into the new `folder`; returns the contents of onnx.json.

    RunProblem for a generative model, RunFailure where the float32 file does not answer like the model.
    """
    source.check_onnx()
    folder.mkdir(parents=True)
    model_folder = source.run.path("model")
    description = Description.load(model_folder)
    progress(Text("Exporting to ONNX", "正在导出 ONNX"))
    loaded = load_tuned(model_folder, description, "eager")
    export_model(loaded, source.task_export.logits, folder / FILES["fp32"])
    progress(Text("Quantising to int8", "正在量化为 int8"))
    quantise(folder / FILES["fp32"], folder / FILES["int8"])
    progress(Text("Comparing with PyTorch on test rows", "正在用测试数据与 PyTorch 比较"))
    measured = _compare(source, load_tuned(model_folder, description), description, folder)
    (folder / "onnx.json").write_text(json.dumps(measured, ensure_ascii=False, indent=1), encoding="utf-8")
    return measured


def export_model(loaded: LoadedModel, outputs: tuple[str, ...], path: Path) -> None:
    """float32 ONNX with free batch and length, by PyTorch's own exporter. RunFailure where it cannot translate the model."""
    model = loaded.model.float().cpu().eval()
    names = ["input_ids", "attention_mask"]
    if "token_type_ids" in loaded.tokenizer.model_input_names:
        names.append("token_type_ids")
    ids = torch.full((2, 8), loaded.tokenizer.pad_token_id or 0)
    ids[:, :6] = torch.arange(5, 11)
    example = {"input_ids": ids, "attention_mask": (torch.arange(8) < 6).long().repeat(2, 1)}
    example["token_type_ids"] = torch.zeros_like(ids)
    batch = torch.export.Dim("batch", min=1, max=4096)
    length = torch.export.Dim("tokens", min=2, max=max(3, loaded.max_positions))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        # The exporter prints its progress and warnings of no use here.
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model,
                (),
                str(path),
                kwargs={name: example[name] for name in names},
                input_names=names,
                output_names=list(outputs),
                dynamic_shapes={name: {0: batch, 1: length} for name in names},
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except (torch.onnx.OnnxExporterError, RuntimeError) as error:
        family = model.config.model_type
        raise RunFailure(
            "onnx_failed",
            Text(f"PyTorch cannot export this {family} model to ONNX.", f"PyTorch 无法将此 {family} 模型导出为 ONNX。"),
            Text("Use the zip: it answers without ONNX.", "请使用 zip：它不依赖 ONNX。"),
        ) from error


def quantise(source: Path, path: Path) -> None:
    """Dynamic quantisation (ONNX Runtime): int8 weights, one scale a channel; activations are quantised dynamically."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().setLevel(logging.ERROR)  # it gives advice through the root logger that does not apply here
    quantize_dynamic(str(source), str(path), weight_type=QuantType.QInt8, per_channel=True)


class OnnxEncoder(nn.Module):
    """An ONNX file with the interface of a transformers model."""

    def __init__(self, path: Path, threads: int):
        super().__init__()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs = [value.name for value in self.session.get_inputs()]
        self.outputs = [value.name for value in self.session.get_outputs()]

    def forward(self, **batch: torch.Tensor) -> Any:
        zeros = torch.zeros_like(batch["input_ids"])
        arrays = self.session.run(self.outputs, {name: batch.get(name, zeros).numpy() for name in self.inputs})
        return SimpleNamespace(
            **{name: torch.from_numpy(values) for name, values in zip(self.outputs, arrays, strict=True)}
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """`same` is the share of rows with the same answer, numbers aside; `largest` the largest difference of a number in those."""

    same: float
    largest: float


def agreement(expected: list[Any], got: list[Any]) -> Agreement:
    """How far two lists of answers agree, whatever the task."""
    same, largest = 0, 0.0
    for ours, theirs in zip(expected, got, strict=True):
        difference = _difference(ours, theirs)
        if difference is not None:
            same += 1
            largest = max(largest, difference)
    return Agreement(same / max(1, len(expected)), largest)


def _difference(ours: Any, theirs: Any) -> float | None:
    """The largest difference of numbers with fractions; None where anything else differs."""
    if isinstance(ours, float) and isinstance(theirs, float):
        return abs(ours - theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        parts = [_difference(value, theirs[name]) for name, value in ours.items()]
    elif isinstance(ours, list | tuple) and isinstance(theirs, list | tuple) and len(ours) == len(theirs):
        parts = [_difference(a, b) for a, b in zip(ours, theirs, strict=True)]
    else:
        return 0.0 if ours == theirs else None
    return None if None in parts else max((part for part in parts if part is not None), default=0.0)


def _compare(source: ExportSource, loaded: LoadedModel, description: Description, folder: Path) -> dict[str, Any]:
    examples = _test_rows(source.run)
    task, outputs = task_model(TASKS[description.task]), description.decoded_outputs
    threads = torch.get_num_threads()
    device = Device("cpu", torch.float32, Text("", ""))

    def answers_of(model: nn.Module) -> tuple[list[Any], float]:
        reader = reader_for(task)(task, outputs, model.eval(), loaded.tokenizer, device, description.max_length)
        reader.predict(examples[:8])  # warm-up: the first call allocates and plans
        started = time.perf_counter()
        encoded = reader.encode(examples)
        predictions = reader.predict(examples, encoded)
        seconds = time.perf_counter() - started
        answers = task.answers(examples, predictions, encoded, outputs)
        compared = [{key: answer.get(key) for key in source.task_export.answer_keys} for answer in answers]
        return compared, len(examples) / max(seconds, 1e-9)

    expected, speed = answers_of(loaded.model)
    weights = sum(parameter.numel() * 4 for parameter in loaded.model.parameters())
    measured: dict[str, Any] = {
        "rows": len(examples),
        "threads": threads,
        "torch": {"megabytes": round(weights / 1e6, 1), "rows_per_second": round(speed, 1)},
        "files": {},
    }
    for name, file in FILES.items():
        got, speed = answers_of(OnnxEncoder(folder / file, threads))
        agreed = agreement(expected, got)
        measured["files"][name] = {
            "file": file,
            "megabytes": round((folder / file).stat().st_size / 1e6, 1),
            "agreement": agreed.same,
            "largest_difference": agreed.largest,
            "rows_per_second": round(speed, 1),
        }
    fp32 = measured["files"]["fp32"]
    if fp32["largest_difference"] > TOLERANCE or fp32["agreement"] < 0.99:
        raise RunFailure(
            "onnx_differs",
            Text(
                f"The ONNX file does not answer like the model (agreement {fp32['agreement']:.1%}, difference {fp32['largest_difference']:.2g}).",
                f"ONNX 文件的输出与模型不一致（一致率 {fp32['agreement']:.1%}，差异 {fp32['largest_difference']:.2g}）。",
            ),
            Text("Use the zip: it answers without ONNX.", "请使用 zip：它不依赖 ONNX。"),
        )
    return measured


def _test_rows(run: Run) -> list[Example]:
    with run.path("data", "test.jsonl").open(encoding="utf-8") as file:
        return [Example.from_dict(json.loads(line)) for _, line in zip(range(MAX_ROWS), file, strict=False)]
