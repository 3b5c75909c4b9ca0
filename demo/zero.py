"""ZeroGPU: a Space that has a GPU only inside functions marked for it, a minute or two at a time.

Training goes in slices with a checkpoint between two; answers are computed in a function of their own. The page's process never
touches CUDA: what is marked runs in a process that `spaces` forks. Everywhere else nothing of this is used, and training and
answering take the ordinary path. Knows the rules of `spaces`; does not know how a model is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from engine.core.errors import RunFailure
from engine.core.settings import Settings
from engine.core.text import Text
from engine.run_directory.store import Run, Store
from engine.runs.launch import resume

# A visitor's quota is charged for what is declared, not for what is used: no more than a slice needs.
SLICE = 110  # seconds declared; loading, saving and judging a small model fit beside the training
TRAINING = 60.0
ANSWER = 30
Rows = Sequence[str | Mapping[str, str]]


def train_slice(directory: str, seconds: float) -> None:
    """One slice of a run, in the process that has the GPU. How it went is in the run directory."""
    from engine.training.worker import main

    main(directory, seconds)


def answer_on_gpu(directory: str, rows: Rows, base: bool) -> list[dict[str, Any]]:
    """Answers of a run's model, in the process that has the GPU: it is made for this call, and so is the model in it."""
    from engine.inference.predictor import load_predictor

    return load_predictor(directory).predict(rows, base=base)


class ZeroGpu:
    """The marked functions. Make it before anything imports PyTorch: `spaces` has to be there first."""

    def __init__(self) -> None:
        import spaces

        self.train: Callable[[str, float], None] = spaces.GPU(duration=SLICE)(train_slice)
        self.answer: Callable[[str, Rows, bool], list[dict[str, Any]]] = spaces.GPU(duration=ANSWER)(answer_on_gpu)

    def train_in_slices(self, run: Run, store: Store, settings: Settings) -> str:
        """Slice after slice until the run has ended; returns its state. Call within an event: the quota is its visitor's.

        RunFailure where a slice was refused or cut off before it came to a checkpoint: the same would happen again.
        """
        while run.state == "queued":
            before = _newest(run)
            try:
                self.train(str(run.directory), TRAINING)
            except gr.Error as error:
                # Quota used up, or the slice was cut off. What the last checkpoint holds is safe.
                if run.state not in ("interrupted", "queued") or _newest(run) == before:
                    raise RunFailure(
                        "no_slice",
                        Text(f"The GPU was not given: {error.message}", f"未能获得 GPU：{error.message}"),
                        Text(
                            "Resume the run later; it goes on from its last checkpoint.",
                            "可稍后继续该运行，它会从最近的检查点接着训练。",
                        ),
                    ) from error
                if run.state == "interrupted":
                    resume(run, store, settings)
        return run.state


class GpuPredictor:
    """A predictor whose answers come from the GPU's process. Everything else runs on this processor."""

    def __init__(self, directory: Path, zero: ZeroGpu):
        from engine.inference.predictor import load_predictor
        from engine.models.device import choose_device

        self._here = load_predictor(directory, choose_device("cpu"))
        self._directory, self._zero = directory, zero

    def predict(self, rows: Rows, base: bool = False, progress: Any = None) -> list[dict[str, Any]]:
        return self._zero.answer(str(self._directory), list(rows), base)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._here, name)


def _newest(run: Run) -> str:
    """The name of the newest checkpoint; empty without one."""
    return max((path.name for path in run.path("checkpoints").glob("step-*")), default="")
