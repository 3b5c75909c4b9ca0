"""The commands that act on runs: `resume`, `stop`, `delete`, `rename`, `note` and `clone`."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from engine.cli.shared import Json, RunArgument, find
from engine.cli.terminal import Narrator
from engine.cli.train import follow_to_end, with_flags
from engine.core.errors import RunProblem
from engine.core.settings import Settings
from engine.core.text import Text, terminal_language
from engine.run_directory.about import describe
from engine.run_directory.store import ACTIVE, Run, Store
from engine.runs.launch import launch
from engine.runs.launch import resume as resume_run
from engine.runs.stop import ask, enforce

Changed = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="A field to change, such as training.learning_rate=1e-5."),
]


def resume(run: RunArgument, json_: Json = False) -> None:
    """Go on with a run that was stopped or interrupted, from its last complete checkpoint."""
    found = find(run)
    settings = _settings_of(found)
    told = found.events()[1]
    worker = resume_run(found, Store(settings.runs_dir), settings)
    follow_to_end(found, worker, json_, told)


def stop(
    run: RunArgument,
    discard: Annotated[bool, typer.Option("--discard", help="End at once, without a model or a report.")] = False,
    json_: Json = False,
) -> None:
    """Stop a run; its best model until then is kept and reported on, unless it is to be discarded."""
    found = find(run)
    narrator = Narrator(terminal_language())
    ask(found, "discard" if discard else "keep")
    if discard:
        killed = enforce(found)
        narrator.say(Text("Stopped.", "已停止。") if not killed else Text("Ended by force.", "已强制结束。"))
    else:
        narrator.say(
            Text("Stopping; the best model is saved and reported on.", "正在停止；将保存最好的模型并生成报告。")
        )
        while found.state in ACTIVE:
            time.sleep(0.2)
    if json_:
        typer.echo(json.dumps({"run": str(found.directory), "state": found.state}))


def delete(
    run: RunArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json_: Json = False,
) -> None:
    """Delete a run for good: data, model, report and checkpoints."""
    found = find(run)
    if not yes and not typer.confirm(
        Text(f"Delete {found.directory} for good?", f"确定永久删除 {found.directory} 吗？").in_language(
            terminal_language()
        ),
        err=True,
    ):
        raise RunProblem("not_confirmed", Text("Nothing was deleted.", "没有删除任何内容。"))
    Store(found.directory.parent).delete(found.id)
    if json_:
        typer.echo(json.dumps({"run": str(found.directory), "state": "deleted"}))


def rename(run: RunArgument, name: Annotated[str, typer.Argument(help="Empty: called by its data.")]) -> None:
    """Give a run another name."""
    describe(find(run), name=name)


def note(run: RunArgument, text: Annotated[str, typer.Argument(help="Replaces the note that was there.")]) -> None:
    """Note something down of a run."""
    describe(find(run), note=text)


def clone(run: RunArgument, set_: Changed = None, json_: Json = False) -> None:
    """Start a new run with the settings of another, some of them changed."""
    found = find(run)
    settings = _settings_of(found)
    described = with_flags(found.config.to_dict(), set_)
    new, worker = launch(described, Store(settings.runs_dir), settings, parent=found.id)
    follow_to_end(new, worker, json_)


def _settings_of(run: Run) -> Settings:
    """The deployment's settings, for the directory that the run is in."""
    return Settings.from_env(runs_dir=run.directory.parent)
