"""A finished run as something to take along: what is known of it, cleaned of what belongs to this machine.

Knows run directories and what in them names places or people of this machine: paths, owners, tokens never leave. Does not know
what is made of it (package, hub, space).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.assets import EXAMPLES
from engine.config import RunConfig
from engine.core.errors import RunProblem
from engine.core.text import Text
from engine.export.task_export import TASK_EXPORTS, TaskExport
from engine.inference.saved import Description
from engine.models.catalog_entries import CATALOG, CatalogEntry
from engine.report.files import load_report
from engine.run_directory.store import Manifest, Run

# transformers' and PEFT's own readings of a version never look at what follows "+", nor does the package index have it.
_LOCAL_VERSION = re.compile(r"\+.*")


@dataclass(frozen=True)
class ExportSource:
    """A run that has a model and a report. `ExportSource.of` refuses any other."""

    run: Run

    @classmethod
    def of(cls, run: Run) -> ExportSource:
        """RunProblem for a run without a finished model and report."""
        for needed in ("model/tunebench.json", "report/report.json"):
            if not run.path(needed).is_file():
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
    def kind(self) -> TaskExport:
        return TASK_EXPORTS[self.task]

    @cached_property
    def description(self) -> Description:
        return Description.load(self.run.path("model"))

    @property
    def beside(self) -> bool:
        """Whether what was learned stands beside the weights and cannot be merged into them."""
        return self.description.method == "prefix"

    @cached_property
    def auto_class(self) -> str:
        """What transformers loads the model with."""
        if self.kind.auto_class:
            return self.kind.auto_class
        from transformers import AutoConfig

        from engine.models.catalog import resolve
        from engine.models.generators import auto_class_of

        description, own = self.description, self.run.path("model")
        source = str(own) if (own / "config.json").is_file() else resolve(description.base_model)
        return auto_class_of(
            AutoConfig.from_pretrained(source, revision=description.base_revision or None), source
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
        """What was run and how it went, as the report has it."""
        return self.report["run"]

    @cached_property
    def config(self) -> RunConfig:
        """The configuration with the names of its files instead of their places, and of the model that was taken where it said `auto`."""
        config = self.run.config
        data = replace(
            config.data, **{name: Path(getattr(config.data, name)).name for name in ("train", "validation", "test")}
        )
        return replace(
            config, data=data, model=replace(config.model, id=public_model_name(self.description.base_model))
        )

    @property
    def base(self) -> CatalogEntry | None:
        """The catalogue's entry of the pretrained model."""
        asked = self.config.model.id.lower()
        known = (entry for entry in CATALOG.values() if asked in (entry.name.lower(), (entry.hub_id or "").lower()))
        return next(known, None)

    @property
    def base_id(self) -> str:
        """What the pretrained model is called on the hub, or here where it is not there."""
        return (self.base.hub_id if self.base else None) or self.config.model.id

    @property
    def data_name(self) -> Text:
        """What the training data is called."""
        data = self.config.data
        if data.example in EXAMPLES:
            return EXAMPLES[data.example].title
        name = data.example or data.hub or data.train
        return Text(name, name)

    @property
    def title(self) -> Text:
        """What a reader calls the model."""
        if self.config.name:
            return Text(self.config.name, self.config.name)
        base = self.base_id.rpartition("/")[2]
        return Text(f"{base} tuned on {self.data_name.en}", f"{base}，在{self.data_name.zh}上微调")

    @property
    def slug(self) -> str:
        """A name for files and repositories: letters, digits and single hyphens."""
        words = re.sub(r"[^a-z0-9]+", "-", self.config.name.lower()).strip("-")[:48].strip("-")
        return words or f"tunebench-{self.task}-{self.run.id[-8:]}"

    def about(self) -> dict[str, Any]:
        """What is passed on of the manifest, as JSON: neither owner nor process nor places."""
        manifest, facts = self.manifest, self.facts
        kept = (
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
            "facts": {name: facts[name] for name in kept if name in facts},
        }


def public_model_name(model_id: str) -> str:
    """A hub id or catalogue name as it is; of a folder of this machine only its name."""
    return Path(model_id).name if model_id.startswith(("/", "~", ".")) or Path(model_id).exists() else model_id


def pinned(*packages: str) -> list[str]:
    """Requirement lines for packages at the versions that run here."""
    from importlib.metadata import version

    return [f"{name}=={_LOCAL_VERSION.sub('', version(name))}" for name in packages]
