"""Tunebench's engine: fine-tune a pretrained transformer on a table of text, from Python.

    from engine import RunConfig, load_predictor, train

    run = train(RunConfig.from_dict({"data": {"example": "rated-sentences"}}))
    load_predictor(run.directory).predict(["A warm and funny film."])

Names are imported when first used, so that `import engine` costs nothing and needs no PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "RunConfig": "engine.config",
    "Settings": "engine.core.settings",
    "UserError": "engine.core.errors",
    "train": "engine.runs.api",
    "load_predictor": "engine.inference.predictor",
    "load_report": "engine.report.files",
}
__all__ = ["RunConfig", "Settings", "UserError", "load_predictor", "load_report", "train"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
