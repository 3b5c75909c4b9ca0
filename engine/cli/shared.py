"""What the commands share: flags and their help, finding a run, and NAME=VALUE pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.assets import EXAMPLES
from engine.config import RunConfig
from engine.core.errors import ConfigProblem
from engine.core.options import walk_options
from engine.core.settings import Settings
from engine.core.text import Text
from engine.run_directory.store import Run, Store, open_run

HELP = {path: described.help.en for path, _, described in walk_options(RunConfig)}
RunsDir = Annotated[Path | None, typer.Option(help="Where the runs are kept; TUNEBENCH_RUNS by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON as the last line of stdout, also for failures.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run directory, or the id of a run.")]
Columns = Annotated[list[str] | None, typer.Option(metavar="ROLE=COLUMN", help="Column of a role, such as text=body.")]
Fixes = Annotated[list[str] | None, typer.Option(metavar="CODE", help="A fix that `check` offers; may be repeated.")]
# How a file is read, where the detection is wrong.
Encoding = Annotated[str, typer.Option(help=HELP["data.encoding"])]
Delimiter = Annotated[str, typer.Option(help=f"{HELP['data.delimiter']} A character, or tab.")]
Sheet = Annotated[str, typer.Option(help=HELP["data.sheet"])]


def task_of(example: str | None) -> str | None:
    """The task that an embedded example is for; None where there is no such example, which is reported later."""
    return EXAMPLES[example].task if example in EXAMPLES else None


def find_run(run: str) -> Run:
    """A run by its directory, or by its id below the runs directory."""
    if Path(run, "manifest.json").is_file() or "/" in run:
        return open_run(run)
    return Store(Settings.from_env().runs_dir).get(run)


def runs_dir_of(given: Path | None) -> Path:
    return given.absolute() if given else Settings.from_env().runs_dir


def pairs(given: list[str] | None, flag: str) -> dict[str, str]:
    pairs = {}
    for item in given or []:
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise ConfigProblem(
                "bad_flag",
                Text(f"{flag} {item!r} is not of the form NAME=VALUE.", f"{flag} {item!r} 的格式应为 NAME=VALUE。"),
            )
        pairs[key.strip()] = value
    return pairs
