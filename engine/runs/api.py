"""Training from Python: one call, the same worker process that the page and the command line use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.config import RunConfig
from engine.core.errors import UserError
from engine.core.settings import Settings
from engine.core.text import Text
from engine.run_directory.store import Run, Store
from engine.runs.cause import cause_of
from engine.runs.launch import launch
from engine.runs.process import follow


def train(
    config: RunConfig,
    *,
    runs_dir: str | Path | None = None,
    show: Callable[[dict[str, Any]], None] | None = None,
) -> Run:
    """Carry out a run and return it when it has ended; `show` hears every event while it goes on.

    Raises ConfigProblem before anything starts, and RunFailure or the UserError behind it when the run fails.
    Ctrl-C asks the run to stop and keep its best model; a second Ctrl-C stops waiting for it.
    """
    settings = Settings.from_env(**({"runs_dir": Path(runs_dir).absolute()} if runs_dir else {}))
    run, worker = launch(config, Store(settings.runs_dir), settings)
    state = follow(run, worker, show or (lambda event: None))
    if state not in ("completed", "stopped"):
        raise failure_of(run, state)
    return run


def failure_of(run: Run, state: str) -> UserError:
    """Why a run ended without a result, as the error it recorded or as what its end lets us conclude."""
    error = run.manifest.error
    if error is None:
        return cause_of(run, run.manifest)
    problem = UserError(
        error["code"],
        Text.from_dict(error["message"]),
        Text.from_dict(error["hint"]) if error["hint"] else None,
        **error["where"],
    )
    # Wrong input ends with 2, work that failed with 1, as in the worker itself.
    problem.exit_code = 1 if error["kind"] in ("RunFailure", "AssetProblem") else 2
    return problem
