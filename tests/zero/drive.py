"""A Space's process on ZeroGPU in small: `python drive.py RUNS_DIR CONFIG OUT`. Trains in slices, answers, writes down what happened."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import spaces

from demo import zero
from demo.page import Page
from demo.parts import playground
from engine.config import RunConfig
from engine.core.errors import UserError
from engine.core.settings import Settings
from engine.runs.launch import launch
from engine.runs.process import SlicedWorker


def main(runs: str, config: str, out: str, seconds: str) -> None:
    zero.TRAINING = float(seconds)
    settings = Settings.from_env(runs_dir=Path(runs))
    page = Page.from_settings(settings)
    assert page.zero is not None and "torch" not in sys.modules, "spaces comes before PyTorch, and the page needs none"
    run, worker = launch(RunConfig.load(config), page.store, settings)
    assert isinstance(worker, SlicedWorker), "a process of its own would have no GPU"
    output: dict = {"run": run.id}
    try:
        output["state"] = page.zero.train_in_slices(run, page.store, settings)
    except UserError as error:
        output |= {"state": run.state, "error": error.code}
    assert "torch" not in sys.modules, "training left the page's process alone"
    if output["state"] == "completed":
        spaces.forbid_cuda_outside()
        predictor = playground.predictor(page, run)
        output["answer"] = predictor.predict(["a good film"])[0]
        output["labels"] = predictor.outputs.labels
    output["calls"] = spaces.calls
    Path(out).write_text(json.dumps(output), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
