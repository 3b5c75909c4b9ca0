"""A finished run as the source of an export: its facts, without what belongs to this machine.

Knows run directories and what in them names places or people of this machine: paths, owners and tokens are never exported. Does
not know the formats (package, hub, space).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.assets import EXAMPLES
from engine.config import RunConfig
from engine.core.errors import RunProblem
from engine.core.text import Text
from engine.inference.saved import Description
from engine.models.catalog_entries import CATALOG, CatalogEntry
from engine.report.files import load_report
from engine.run_directory.store import Manifest, Run
from engine.tasks import TASKS
from engine.tasks.export_spec import TaskExport
from engine.tasks.spec import TaskSpec

# The package index has no local versions ("+cpu"), and requirements match without them.
_LOCAL_VERSION = re.compile(r"\+.*")
Progress = Callable[[Text], None]  # takes a sentence that says what is being done


def no_progress(text: Text) -> None:
    """For callers that show no progress."""


@dataclass(frozen=True)
class ExportSource:
    """A run that has a model and a report. `ExportSource.of` refuses any other."""

    run: Run

    @classmethod
    def of(cls, run: Run) -> ExportSource:
        """RunProblem for a run without a finished model and report."""
        for file in ("model/tunebench.json", "report/report.json"):
            if not run.path(file).is_file():
                raise RunProblem(
                    "not_finished",
                    Text("This run has no finished model to export.", "该运行没有可导出的已完成模型。"),
                    Text("Wait for it to complete, or choose another run.", "请等待其完成，或选择其他运行。"),
                    run=run.id,
                )
        return cls(run)

    @property
    def task(self) -> str:
        return self.manifest.task

    @property
    def spec(self) -> TaskSpec:
        return TASKS[self.task]

    @property
    def task_export(self) -> TaskExport:
        return self.spec.export

    def check_onnx(self) -> None:
        """RunProblem for a task whose models cannot be exported to ONNX."""
        if self.task_export.onnx:
            return
        raise RunProblem(
            "no_onnx",
            Text(
                "A generative model is not exported to ONNX: it generates token by token with a growing cache, and the search for "
                "tokens is a program around the model, which an ONNX file does not hold.",
                "生成模型不支持导出为 ONNX：它逐个 token 生成，缓存不断增长，而选词的过程是模型之外的程序，ONNX 文件无法包含。",
            ),
            Text("Export it without ONNX, as a zip.", "请不带 ONNX，直接导出为 zip。"),
            run=self.run.id,
        )

    @cached_property
    def description(self) -> Description:
        return Description.load(self.run.path("model"))

    @property
    def unmerged_adapter(self) -> bool:
        """Whether the adapter cannot be merged into the weights."""
        return self.description.method == "prefix"

    @cached_property
    def auto_class(self) -> str:
        """The transformers class that loads the model."""
        if self.task_export.auto_class:
            return self.task_export.auto_class
        from transformers import AutoConfig

        from engine.models.catalog import resolve
        from engine.models.generators import auto_class_of

        description, folder = self.description, self.run.path("model")
        model = str(folder) if (folder / "config.json").is_file() else resolve(description.base_model)
        return auto_class_of(
            AutoConfig.from_pretrained(model, revision=description.base_revision or None), model
        ).__name__

    @cached_property
    def manifest(self) -> Manifest:
        return self.run.manifest

    @cached_property
    def report(self) -> dict[str, Any]:
        report = load_report(self.run.path("report"))
        return {**report, "run": {**report["run"], "model": public_model_name(report["run"].get("model") or "")}}

    @property
    def facts(self) -> dict[str, Any]:
        """The facts of the run (settings, versions, timings) as the report has them."""
        return self.report["run"]

    @cached_property
    def config(self) -> RunConfig:
        """The configuration with file names instead of paths, and with the model that `auto` resolved to."""
        config = self.run.config
        files = config.data
        data = replace(
            files,
            train=Path(files.train).name,
            validation=Path(files.validation).name,
            test=Path(files.test).name,
        )
        return replace(
            config, data=data, model=replace(config.model, id=public_model_name(self.description.base_model))
        )

    @property
    def catalog_entry(self) -> CatalogEntry | None:
        """The catalogue's entry of the pretrained model."""
        model_id = self.config.model.id.lower()
        names = ((entry, (entry.name.lower(), (entry.hub_id or "").lower())) for entry in CATALOG.values())
        return next((entry for entry, own in names if model_id in own), None)

    @property
    def base_id(self) -> str:
        """The hub id of the pretrained model, or its name here where it is not on the hub."""
        return (self.catalog_entry.hub_id if self.catalog_entry else None) or self.config.model.id

    @property
    def data_name(self) -> Text:
        """The name of the training data."""
        data = self.config.data
        if data.example in EXAMPLES:
            return EXAMPLES[data.example].title
        name = data.example or data.hub or data.train
        return Text(name, name)

    @property
    def title(self) -> Text:
        """The name of the model, as a heading."""
        if self.config.name:
            return Text(self.config.name, self.config.name)
        base = self.base_id.rpartition("/")[2]
        return Text(f"{base} tuned on {self.data_name.en}", f"{base}，在{self.data_name.zh}上微调")

    @property
    def slug(self) -> str:
        """A name for files and repositories: letters, digits and single hyphens."""
        words = re.sub(r"[^a-z0-9]+", "-", self.config.name.lower()).strip("-")[:48].strip("-")
        return words or f"tunebench-{self.task}-{self.run.id[-8:]}"

    def public_facts(self) -> dict[str, Any]:
        """The part of the manifest that is exported, JSON-able: neither owner nor process nor paths."""
        manifest, facts = self.manifest, self.facts
        exported = (
            "method", "device", "dtype", "parameters", "trainable_parameters", "seed", "versions", "batch_size",
            "learning_rate", "max_length", "epochs", "epochs_fitted", "columns", "sources", "rows", "data_sha256", "best_epoch",
            "seconds",
        )  # fmt: skip
        return {
            "run": self.run.id,
            "task": self.task,
            "name": manifest.name,
            "created": manifest.created,
            "finished": manifest.finished,
            "base_model": self.base_id,
            "headline": manifest.headline,
            "facts": {name: facts[name] for name in exported if name in facts},
        }


def public_model_name(model_id: str) -> str:
    """A hub id or catalogue name as it is; of a folder of this machine only its name."""
    return Path(model_id).name if model_id.startswith(("/", "~", ".")) or Path(model_id).exists() else model_id


def pinned(*packages: str) -> list[str]:
    """Requirement lines for packages at the versions that run here."""
    from importlib.metadata import version

    return [f"{name}=={_LOCAL_VERSION.sub('', version(name))}" for name in packages]
