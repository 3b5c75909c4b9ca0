"""The commands about runs: `runs` lists them; `resume`, `stop`, `delete`, `rename`, `note` and `clone` act on one."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Annotated

import typer

from engine.cli.shared import Json, RunArgument, RunsDir, find_run, runs_dir_of
from engine.cli.terminal import RunPrinter, table
from engine.cli.train import follow_to_end, with_flags
from engine.core.errors import RunProblem
from engine.core.settings import Settings
from engine.core.text import Text, terminal_language
from engine.run_directory.about import about, describe
from engine.run_directory.queue import position
from engine.run_directory.store import ACTIVE, Run, Store
from engine.runs.launch import launch, resumable
from engine.runs.launch import resume as resume_run
from engine.runs.stop import ask, enforce

Changed = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="A field to change, such as training.learning_rate=1e-5."),
]


def runs(runs_dir: RunsDir = None, json_: Json = False) -> None:
    """List the runs, newest first."""
    store = Store(runs_dir_of(runs_dir))
    listed = [(run, run.manifest, about(run)) for run in store]
    if json_:
        fields = ("id", "task", "model", "state", "created", "headline", "attempt")
        values = [
            {
                **{name: getattr(manifest, name) for name in fields},
                **asdict(description),
                "resumable": resumable(run, manifest),
            }
            for run, manifest, description in listed
        ]
        typer.echo(json.dumps(values, ensure_ascii=False))
        return
    rows = []
    for run, manifest, description in listed:
        score = f"{manifest.headline['metric']} {manifest.headline['value']:.3f}" if manifest.headline else ""
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(manifest.created))
        state = _state(run, manifest.state, store)
        rows.append((manifest.id, when, manifest.task, manifest.model, state, score, description.name))
    typer.echo(table(("run", "created", "task", "model", "state", "score", "name"), rows))


def _state(run: Run, state: str, store: Store) -> str:
    """The state, with its place in the queue where it waits."""
    if state != "queued":
        return state
    return (
        Text("queued, {ahead} ahead", "排队中，前面 {ahead} 个")
        .format(ahead=position(run, store))
        .in_language(terminal_language())
    )


def resume(run: RunArgument, json_: Json = False) -> None:
    """Go on with a run that was stopped or interrupted, from its last complete checkpoint."""
    opened = find_run(run)
    settings = _settings_of(opened)
    offset = opened.events()[1]
    worker = resume_run(opened, Store(settings.runs_dir), settings)
    follow_to_end(opened, worker, json_, offset)


def stop(
    run: RunArgument,
    discard: Annotated[bool, typer.Option("--discard", help="End at once, without a model or a report.")] = False,
    json_: Json = False,
) -> None:
    """Stop a run; its best model until then is kept and reported on, unless it is to be discarded."""
    opened = find_run(run)
    printer = RunPrinter(terminal_language())
    ask(opened, "discard" if discard else "keep")
    if discard:
        killed = enforce(opened)
        printer.print(Text("Stopped.", "已停止。") if not killed else Text("Ended by force.", "已强制结束。"))
    else:
        printer.print(
            Text("Stopping; the best model is saved and reported on.", "正在停止；将保存最好的模型并生成报告。")
        )
        while opened.state in ACTIVE:
            time.sleep(0.2)
    if json_:
        typer.echo(json.dumps({"run": str(opened.directory), "state": opened.state}))


def delete(
    run: RunArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json_: Json = False,
) -> None:
    """Delete a run for good: data, model, report and checkpoints."""
    opened = find_run(run)
    if not yes and not typer.confirm(
        Text(f"Delete {opened.directory} for good?", f"确定永久删除 {opened.directory} 吗？").in_language(
            terminal_language()
        ),
        err=True,
    ):
        raise RunProblem("not_confirmed", Text("Nothing was deleted.", "没有删除任何内容。"))
    Store(opened.directory.parent).delete(opened.id)
    if json_:
        typer.echo(json.dumps({"run": str(opened.directory), "state": "deleted"}))


def rename(run: RunArgument, name: Annotated[str, typer.Argument(help="Empty: called by its data.")]) -> None:
    """Give a run another name."""
    describe(find_run(run), name=name)


def note(run: RunArgument, text: Annotated[str, typer.Argument(help="Replaces the note that was there.")]) -> None:
    """Attach a note to a run."""
    describe(find_run(run), note=text)


def clone(run: RunArgument, set_: Changed = None, json_: Json = False) -> None:
    """Start a new run with the settings of another, some of them changed."""
    opened = find_run(run)
    settings = _settings_of(opened)
    config = with_flags(opened.config.to_dict(), set_)
    new, worker = launch(config, Store(settings.runs_dir), settings, parent=opened.id)
    follow_to_end(new, worker, json_)


def _settings_of(run: Run) -> Settings:
    """The deployment's settings, for the directory that the run is in."""
    return Settings.from_env(runs_dir=run.directory.parent)
