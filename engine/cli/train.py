"""The `train` command: flags and YAML become one RunConfig, and the progress of its run is printed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from engine.cli.shared import (
    HELP,
    Columns,
    Delimiter,
    Encoding,
    Fixes,
    Json,
    RunsDir,
    Sheet,
    pairs,
    runs_dir_of,
    task_of,
)
from engine.cli.terminal import RunPrinter
from engine.config import RunConfig
from engine.core.errors import ConfigProblem, UserError
from engine.core.settings import Settings
from engine.core.text import Text, terminal_language
from engine.models.config import METHODS
from engine.run_directory.store import Run, Store
from engine.runs.launch import resumable
from engine.runs.process import Worker
from engine.tasks import TASKS


def train(
    config: Annotated[Path | None, typer.Argument(help="A YAML file; flags override what it says.")] = None,
    task: Annotated[str | None, typer.Option(help=f"{HELP['task']} One of {', '.join(TASKS)}.")] = None,
    train: Annotated[str | None, typer.Option(help=HELP["data.train"])] = None,
    validation: Annotated[str | None, typer.Option(help=HELP["data.validation"])] = None,
    test: Annotated[str | None, typer.Option(help=HELP["data.test"])] = None,
    example: Annotated[str | None, typer.Option(help=HELP["data.example"])] = None,
    hub: Annotated[str | None, typer.Option(help=HELP["data.hub"])] = None,
    hub_config: Annotated[str | None, typer.Option(help=HELP["data.hub_config"])] = None,
    text: Annotated[str | None, typer.Option(help="Column of the text.")] = None,
    text_pair: Annotated[str | None, typer.Option(help="Column of the second text, for pairs.")] = None,
    label: Annotated[str | None, typer.Option(help="Column of the label.")] = None,
    label_separator: Annotated[str | None, typer.Option(help=HELP["data.label_separator"])] = None,
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    sheet: Sheet = "",
    column: Columns = None,
    fix: Fixes = None,
    model: Annotated[str | None, typer.Option(help=HELP["model.id"])] = None,
    method: Annotated[str | None, typer.Option(help=f"{HELP['method.name']} One of {', '.join(METHODS)}.")] = None,
    epochs: Annotated[float | None, typer.Option(help=HELP["training.epochs"])] = None,
    minutes: Annotated[float | None, typer.Option(help=HELP["training.minutes"])] = None,
    learning_rate: Annotated[float | None, typer.Option(help=HELP["training.learning_rate"])] = None,
    batch_size: Annotated[int | None, typer.Option(help=HELP["training.batch_size"])] = None,
    max_length: Annotated[int | None, typer.Option(help=HELP["model.max_length"])] = None,
    max_train_rows: Annotated[int | None, typer.Option(help=HELP["data.max_train_rows"])] = None,
    seed: Annotated[int | None, typer.Option(help=HELP["seed"])] = None,
    name: Annotated[str | None, typer.Option(help=HELP["name"])] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Any other field, such as training.warmup=0.2."),
    ] = None,
    start: Annotated[
        bool, typer.Option("--start/--no-start", help="Only create the run, and print where, for accelerate or a job.")
    ] = True,
    runs_dir: RunsDir = None,
    json_: Json = False,
) -> None:
    """Train, evaluate on held-out rows, and keep model and report in a run directory."""
    columns = {"text": text, "text_pair": text_pair, "label": label, **pairs(column, "--column")}
    flags = {
        "task": task,
        "name": name,
        "seed": seed,
        "data.train": train,
        "data.validation": validation,
        "data.test": test,
        "data.example": example,
        "data.hub": hub,
        "data.hub_config": hub_config,
        "data.fixes": fix,
        "data.encoding": encoding or None,
        "data.delimiter": delimiter or None,
        "data.sheet": sheet or None,
        "data.label_separator": label_separator,
        "data.max_train_rows": max_train_rows,
        "data.columns": {role: column for role, column in columns.items() if column} or None,
        "model.id": model,
        "model.max_length": max_length,
        "method.name": method,
        "training.epochs": epochs,
        "training.minutes": minutes,
        "training.learning_rate": learning_rate,
        "training.batch_size": batch_size,
        **{path: _value(path, value) for path, value in pairs(set_, "--set").items()},
    }
    values = _values_in(config) if config else {}
    for path, value in flags.items():
        if value is not None:
            _place(values, path, value)
    data = values.get("data")
    if "task" not in values and isinstance(data, dict) and (known := task_of(data.get("example"))):
        values["task"] = known
    run_config = RunConfig.from_dict(values)
    if fix:
        from engine.training.data_check import settle_fixes

        run_config = settle_fixes(run_config, Settings.from_env())
    from engine.runs.launch import launch

    settings = Settings.from_env(runs_dir=runs_dir_of(runs_dir))
    if not start:
        run = Store(settings.runs_dir).create(run_config)
        typer.echo(json.dumps({"run": str(run.directory), "state": "queued"}) if json_ else str(run.directory))
        return
    run, worker = launch(run_config, Store(settings.runs_dir), settings)
    follow_to_end(run, worker, json_)


def with_flags(values: dict[str, Any], given: list[str] | None) -> RunConfig:
    """A configuration with the fields changed that `--set` names."""
    for path, value in pairs(given, "--set").items():
        _place(values, path, _value(path, value))
    return RunConfig.from_dict(values)


def follow_to_end(run: Run, worker: Worker, json_: bool, offset: int = 0) -> None:
    """Print a run's progress and how it ended; typer.Exit with the code of its failure."""
    from engine.runs.api import failure_of
    from engine.runs.process import follow

    printer = RunPrinter(terminal_language())
    printer.print(f"{run.directory}")
    started = time.monotonic()
    state = follow(run, worker, printer, offset)
    seconds = round(time.monotonic() - started, 1)
    if state == "completed":
        printer.verdict(run)
    elif state == "stopped":
        printer.print(Text("Stopped.", "已停止。"))
    failure = None if state in ("completed", "stopped") else failure_of(run, state)
    if json_:
        typer.echo(json.dumps(_summary(run, state, seconds, failure), ensure_ascii=False))
    if failure:
        printer.print(failure.in_language(terminal_language()))
        if resumable(run):
            printer.print(
                Text(f"To go on: python -m engine resume {run.id}", f"继续运行：python -m engine resume {run.id}")
            )
        raise typer.Exit(failure.exit_code)


def _values_in(path: Path) -> dict[str, Any]:
    if path.suffix.lower() not in (".yaml", ".yml", ".json"):
        raise ConfigProblem(
            "not_a_config",
            Text(f"{path} is not a YAML file that describes a run.", f"{path} 不是描述运行的 YAML 文件。"),
            Text(f"For a table use --train {path}.", f"如果它是数据表，请使用 --train {path}。"),
            file=str(path),
        )
    return RunConfig.load(path).to_dict()


def _value(path: str, given: str) -> Any:
    """The value that `--set` gives a field, parsed as YAML."""
    try:
        return yaml.safe_load(given)
    except yaml.YAMLError as error:
        raise ConfigProblem(
            "bad_flag",
            Text(f"--set {path}: {given!r} is not a YAML value.", f"--set {path}：{given!r} 不是合法的 YAML 值。"),
            Text("Put text with special characters in quotes.", "含特殊字符的文本请加引号。"),
            field=path,
        ) from error


def _place(values: dict[str, Any], path: str, value: Any) -> None:
    *sections, key = path.split(".")
    for section in sections:
        # A value in place of a section is reported later, when the whole configuration is read.
        inner = values.setdefault(section, {})
        if not isinstance(inner, dict):
            inner = values[section] = {}
        values = inner
    if isinstance(value, dict):
        value = {**values.get(key, {}), **value}
    values[key] = value


def _summary(run: Run, state: str, seconds: float, failure: UserError | None) -> dict[str, Any]:
    """The result that `--json` prints (README, "Command line")."""
    summary: dict[str, Any] = {"run": str(run.directory), "state": state, "seconds": seconds}
    summary.update(
        headline=None, test={}, baselines={}, error=run.manifest.error or (failure.to_dict() if failure else None)
    )
    if run.path("report", "report.json").is_file():
        from engine.report.files import load_report

        report = load_report(run.path("report"))
        summary["headline"] = {key: report["headline"][key] for key in ("metric", "value", "low", "high")}
        summary["test"] = report["test"]
        summary["baselines"] = {name: baseline["metrics"] for name, baseline in report["baselines"].items()}
        summary["verdict"] = report["verdict"]["sentence"]
        summary["phases"] = report["run"]["seconds"]
    return summary
