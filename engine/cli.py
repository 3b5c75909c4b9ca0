"""The command line: python -m engine train | evaluate | predict | report | runs | examples.

Progress goes to stderr; what a program may read goes to stdout. Exit code 0 only for success, 2 for wrong input, 1 for a
failure. Knows words and flags; everything else is the engine's.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from engine.config import METHODS, TASK_NAMES, RunConfig
from engine.errors import ConfigProblem, UserError
from engine.options import walk_options
from engine.runs.store import Run, Store, open_run
from engine.settings import Settings
from engine.terminal import Narrator, table
from engine.text import Text, terminal_language

app = typer.Typer(
    name="tunebench",
    help="Fine-tune a transformer on your own table, and read a report you can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_HELP = {path: described.help.en for path, _, described in walk_options(RunConfig)}
RunsDir = Annotated[Path | None, typer.Option(help="Where the runs are kept; TUNEBENCH_RUNS by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run directory, or the id of a run.")]


def main() -> None:
    """Run a command. A UserError becomes its message on stderr and its exit code, never a traceback."""
    try:
        app()
    except UserError as error:
        typer.echo(error.in_language(terminal_language()), err=True)
        sys.exit(error.exit_code)


@app.command()
def train(
    config: Annotated[Path | None, typer.Argument(help="A YAML file; flags override what it says.")] = None,
    task: Annotated[str | None, typer.Option(help=f"{_HELP['task']} One of {', '.join(TASK_NAMES)}.")] = None,
    train: Annotated[str | None, typer.Option(help=_HELP["data.train"])] = None,
    validation: Annotated[str | None, typer.Option(help=_HELP["data.validation"])] = None,
    test: Annotated[str | None, typer.Option(help=_HELP["data.test"])] = None,
    example: Annotated[str | None, typer.Option(help=_HELP["data.example"])] = None,
    text: Annotated[str | None, typer.Option(help="Column of the text.")] = None,
    text_pair: Annotated[str | None, typer.Option(help="Column of the second text, for pairs.")] = None,
    label: Annotated[str | None, typer.Option(help="Column of the label.")] = None,
    label_separator: Annotated[str | None, typer.Option(help=_HELP["data.label_separator"])] = None,
    column: Annotated[list[str] | None, typer.Option(metavar="ROLE=COLUMN", help="Column of any other role.")] = None,
    model: Annotated[str | None, typer.Option(help=_HELP["model.id"])] = None,
    method: Annotated[str | None, typer.Option(help=f"{_HELP['method.name']} One of {', '.join(METHODS)}.")] = None,
    epochs: Annotated[float | None, typer.Option(help=_HELP["training.epochs"])] = None,
    learning_rate: Annotated[float | None, typer.Option(help=_HELP["training.learning_rate"])] = None,
    batch_size: Annotated[int | None, typer.Option(help=_HELP["training.batch_size"])] = None,
    max_length: Annotated[int | None, typer.Option(help=_HELP["model.max_length"])] = None,
    max_train_rows: Annotated[int | None, typer.Option(help=_HELP["data.max_train_rows"])] = None,
    seed: Annotated[int | None, typer.Option(help=_HELP["seed"])] = None,
    name: Annotated[str | None, typer.Option(help=_HELP["name"])] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Any other field, such as training.warmup=0.2."),
    ] = None,
    runs_dir: RunsDir = None,
    json_: Json = False,
) -> None:
    """Train, evaluate on held-out rows, and keep model and report in a run directory."""
    columns = {"text": text, "text_pair": text_pair, "label": label, **_pairs(column, "--column")}
    flags = {
        "task": task,
        "name": name,
        "seed": seed,
        "data.train": train,
        "data.validation": validation,
        "data.test": test,
        "data.example": example,
        "data.label_separator": label_separator,
        "data.max_train_rows": max_train_rows,
        "data.columns": {role: found for role, found in columns.items() if found} or None,
        "model.id": model,
        "model.max_length": max_length,
        "method.name": method,
        "training.epochs": epochs,
        "training.learning_rate": learning_rate,
        "training.batch_size": batch_size,
        **{path: yaml.safe_load(value) for path, value in _pairs(set_, "--set").items()},
    }
    values = RunConfig.load(config).to_dict() if config else {}
    for path, value in flags.items():
        if value is not None:
            _place(values, path, value)
    described = RunConfig.from_dict(values)

    from engine.runs.api import failure_of
    from engine.runs.process import follow, start

    run = Store(_runs_dir(runs_dir)).create(described)
    narrator = Narrator(terminal_language())
    narrator.say(f"{run.directory}")
    started = time.monotonic()
    state = follow(run, start(run), narrator)
    seconds = round(time.monotonic() - started, 1)
    if state == "completed":
        narrator.verdict(run)
    if json_:
        typer.echo(json.dumps(_summary(run, state, seconds), ensure_ascii=False))
    if state == "stopped":
        narrator.say(Text("Stopped.", "已停止。"))
    elif state != "completed":
        raise failure_of(run, state)


@app.command()
def evaluate(
    run: RunArgument, file: Annotated[Path, typer.Option(help="A labelled file.")], json_: Json = False
) -> None:
    """Score a run's model on another labelled file."""
    from engine.inference.judge import judge_file
    from engine.inference.predictor import load_predictor

    directory = _find(run)
    result = judge_file(load_predictor(directory.directory), file, directory.config)
    if json_:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    rows = [
        (
            name,
            f"{value:.4f}",
            "{:.4f}".format(result["intervals"][name][0]),
            "{:.4f}".format(result["intervals"][name][1]),
        )
        for name, value in result["test"].items()
    ]
    typer.echo(table(("metric", "value", "low", "high"), rows))


@app.command()
def predict(
    run: RunArgument,
    text: Annotated[list[str] | None, typer.Option(help="A text; may be given several times.")] = None,
    file: Annotated[Path | None, typer.Option(help="A file of texts.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the answers go: .csv, .tsv, .jsonl or .xlsx.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="ROLE=COLUMN", help="Column of a role in the file.")
    ] = None,
    base: Annotated[bool, typer.Option(help="Ask the untuned model instead.")] = False,
    json_: Json = False,
) -> None:
    """Answer with a run's model."""
    if bool(text) == bool(file):
        raise ConfigProblem(
            "text_or_file",
            Text("Give either --text or --file.", "请提供 --text 或 --file 其中之一。"),
        )
    from engine.data.load import read_table
    from engine.inference.batch import predict_table, write_predictions
    from engine.inference.predictor import load_predictor

    predictor = load_predictor(_find(run).directory)
    if text:
        answers = predictor.predict(text, base=base)
        if json_:
            records = [{"text": given, **answer} for given, answer in zip(text, answers, strict=True)]
            typer.echo(json.dumps(records, ensure_ascii=False))
        else:
            rows = [
                (", ".join(a["labels"]) if "labels" in a else a["label"], f"{a['confidence']:.3f}", given)
                for given, a in zip(text, answers, strict=True)
            ]
            typer.echo(table(("label", "confidence", "text"), rows))
        return
    frame = predict_table(predictor, read_table(file, task=predictor.task.name), _pairs(column, "--column"), base=base)
    if out is None:
        typer.echo(frame.to_json(orient="records", lines=True, force_ascii=False), nl=False)
        return
    write_predictions(frame, out)
    if json_:
        typer.echo(json.dumps({"out": str(out), "rows": len(frame)}, ensure_ascii=False))
    else:
        typer.echo(f"{len(frame)} -> {out}", err=True)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The table to look at.")],
    task: Annotated[str, typer.Option(help=f"One of {', '.join(TASK_NAMES)}.")] = "classification",
    test: Annotated[str | None, typer.Option(help=_HELP["data.test"])] = None,
    column: Annotated[list[str] | None, typer.Option(metavar="ROLE=COLUMN", help="Column of a role.")] = None,
    model: Annotated[str | None, typer.Option(help=_HELP["model.id"])] = None,
    json_: Json = False,
) -> None:
    """Look for what would spoil a run before a minute is spent on it."""
    from engine.data.check import check_config

    values: dict[str, Any] = {"task": task, "data": {"train": str(file), "test": test or ""}}
    values["data"]["columns"] = _pairs(column, "--column")
    if model:
        values["model"] = {"id": model}
    result = check_config(RunConfig.from_dict(values), Settings.from_env())
    if json_:
        typer.echo(json.dumps(result.to_dict(), ensure_ascii=False))
        return
    language = terminal_language()
    for finding in result.findings:
        typer.echo(f"[{finding.severity}] {finding.code}: {finding.message.in_language(language)}")


@app.command()
def report(
    run: RunArgument,
    format: Annotated[str, typer.Option(help="md, html or json.")] = "md",
    language: Annotated[str | None, typer.Option(help="en or zh-CN.")] = None,
) -> None:
    """Print a run's evaluation report."""
    from engine.evaluation.report import load_report, render_html, render_markdown

    found = load_report(_find(run).path("report"))
    spoken = language or terminal_language()
    renderers = {
        "md": lambda: render_markdown(found, spoken),
        "html": lambda: render_html(found, spoken),
        "json": lambda: json.dumps(found, ensure_ascii=False),
    }
    if format not in renderers:
        raise ConfigProblem(
            "unknown_format",
            Text(f"There is no report format {format!r}.", f"没有名为 {format!r} 的报告格式。"),
            Text("Use md, html or json.", "请使用 md、html 或 json。"),
        )
    typer.echo(renderers[format]())


@app.command()
def runs(runs_dir: RunsDir = None, json_: Json = False) -> None:
    """List the runs, newest first."""
    manifests = [run.manifest for run in Store(_runs_dir(runs_dir))]
    if json_:
        fields = ("id", "task", "name", "model", "state", "created", "headline")
        typer.echo(json.dumps([{name: getattr(m, name) for name in fields} for m in manifests], ensure_ascii=False))
        return
    rows = []
    for m in manifests:
        score = f"{m.headline['metric']} {m.headline['value']:.3f}" if m.headline else ""
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(m.created))
        rows.append((m.id, when, m.task, m.model, m.state, score, m.name))
    typer.echo(table(("run", "created", "task", "model", "state", "score", "name"), rows))


@app.command()
def examples(json_: Json = False) -> None:
    """List the embedded data sets."""
    from engine.assets import EXAMPLES, is_cached

    if json_:
        values = [
            {"name": e.name, "task": e.task, "languages": list(e.languages), "rows": e.rows, "licence": e.licence}
            for e in EXAMPLES.values()
        ]
        typer.echo(json.dumps(values, ensure_ascii=False))
        return
    language = terminal_language()
    rows = [
        (
            e.name,
            e.task,
            ",".join(e.languages),
            str(e.rows),
            "yes" if is_cached(e.name) else "",
            e.title.in_language(language),
        )
        for e in EXAMPLES.values()
    ]
    typer.echo(table(("example", "task", "language", "rows", "cached", "title"), rows))


def _find(run: str) -> Run:
    """A run by its directory, or by its id below the runs directory."""
    if Path(run, "manifest.json").is_file() or "/" in run:
        return open_run(run)
    return Store(Settings.from_env().runs_dir).get(run)


def _runs_dir(given: Path | None) -> Path:
    return given.absolute() if given else Settings.from_env().runs_dir


def _pairs(given: list[str] | None, flag: str) -> dict[str, str]:
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


def _place(values: dict[str, Any], path: str, value: Any) -> None:
    *sections, key = path.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    if isinstance(value, dict):
        value = {**values.get(key, {}), **value}
    values[key] = value


def _summary(run: Run, state: str, seconds: float) -> dict[str, Any]:
    """What `--json` promises (README, "Command line")."""
    summary: dict[str, Any] = {"run": str(run.directory), "state": state, "seconds": seconds}
    summary.update(headline=None, test={}, baselines={}, error=run.manifest.error)
    if run.path("report", "report.json").is_file():
        from engine.evaluation.report import load_report

        found = load_report(run.path("report"))
        summary["headline"] = {key: found["headline"][key] for key in ("metric", "value", "low", "high")}
        summary["test"] = found["test"]
        summary["baselines"] = {name: baseline["metrics"] for name, baseline in found["baselines"].items()}
        summary["verdict"] = found["verdict"]["sentence"]
        summary["phases"] = found["run"]["seconds"]
    return summary
