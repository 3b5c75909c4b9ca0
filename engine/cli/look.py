"""The commands that only look: `check`, `report`, `runs` and `examples`."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.shared import (
    HELP,
    Columns,
    Delimiter,
    Encoding,
    Fixes,
    Json,
    RunArgument,
    RunsDir,
    Sheet,
    find,
    pairs,
    runs_dir_of,
    task_of,
)
from engine.cli.terminal import table
from engine.config import TASK_NAMES, RunConfig
from engine.core.errors import ConfigProblem
from engine.core.settings import Settings
from engine.core.text import LANGUAGES, Text, terminal_language
from engine.run_directory.about import about
from engine.run_directory.queue import position
from engine.run_directory.store import Run, Store
from engine.runs.launch import resumable


def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="The table to look at; or several, whose names say which trains, validates and tests."),
    ] = None,
    task: Annotated[
        str, typer.Option(help=f"One of {', '.join(TASK_NAMES)}; an example's own, else classification.")
    ] = "",
    example: Annotated[str, typer.Option(help=HELP["data.example"])] = "",
    hub: Annotated[str, typer.Option(help=HELP["data.hub"])] = "",
    hub_config: Annotated[str, typer.Option(help=HELP["data.hub_config"])] = "",
    hub_revision: Annotated[str, typer.Option(help=HELP["data.hub_revision"])] = "",
    hub_train: Annotated[str, typer.Option(help=HELP["data.hub_train"])] = "",
    hub_validation: Annotated[str, typer.Option(help=HELP["data.hub_validation"])] = "",
    hub_test: Annotated[str, typer.Option(help=HELP["data.hub_test"])] = "",
    validation: Annotated[str, typer.Option(help=HELP["data.validation"])] = "",
    test: Annotated[str, typer.Option(help=HELP["data.test"])] = "",
    column: Columns = None,
    label_separator: Annotated[str, typer.Option(help=HELP["data.label_separator"])] = "",
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    sheet: Sheet = "",
    model: Annotated[str | None, typer.Option(help=HELP["model.id"])] = None,
    fix: Fixes = None,
    json_: Json = False,
) -> None:
    """Look for what would spoil a run before a minute is spent on it."""
    from engine.data.check import check_config, place_text, settle_fixes
    from engine.data.split_names import split_files

    by_name = {path.name: str(path) for path in files or []}
    given = {split: by_name[name] for split, name in split_files(list(by_name)).items()} if by_name else {}
    values: dict[str, Any] = {
        "task": task or task_of(example) or "classification",
        "data": {
            "train": given.get("train", ""),
            "example": example,
            "hub": hub,
            "hub_config": hub_config,
            "hub_revision": hub_revision,
            "hub_train": hub_train,
            "hub_validation": hub_validation,
            "hub_test": hub_test,
            "validation": validation or given.get("validation", ""),
            "test": test or given.get("test", ""),
            "columns": pairs(column, "--column"),
            "label_separator": label_separator,
            "encoding": encoding,
            "delimiter": delimiter,
            "sheet": sheet,
            "fixes": fix or [],
        },
    }
    if model:
        values["model"] = {"id": model}
    settings = Settings.from_env()
    result = check_config(settle_fixes(RunConfig.from_dict(values), settings), settings)
    if json_:
        typer.echo(json.dumps(result.to_dict(), ensure_ascii=False))
        return
    language = terminal_language()

    def say(text: Text) -> None:
        typer.echo(text.in_language(language))

    for split, rows in result.rows.items():
        mapped = ", ".join(f"{role}={name}" for role, name in result.columns[split].items())
        source = result.sources[split]
        how = ", ".join(
            part
            for part in (source.format, source.encoding, source.delimiter and repr(source.delimiter), source.sheet)
            if part
        )
        typer.echo(f"{source.name} [{how}]: {rows} ({mapped})")
        for note in source.notes:
            typer.echo(f"    {note.in_language(language)}")
    for notice in result.fixed:
        say(notice.message)
    if not result.findings:
        say(Text("Nothing to complain of.", "没有发现问题。"))
    for finding in result.findings:
        typer.echo(f"[{finding.severity}] {finding.code}: {finding.message.in_language(language)}")
        for place in finding.rows[:3]:
            typer.echo(f"    {place_text(place).in_language(language)}: {place.excerpt}")
        for length, share in finding.details["lost"].items() if finding.details.get("cut") else ():
            say(
                Text(
                    f"    at {length} tokens: {share['rows']:.1%} of the texts are cut, {share['tokens']:.1%} of all tokens lost",
                    f"    最大长度 {length}：{share['rows']:.1%} 的文本被截断，损失 {share['tokens']:.1%} 的 token",
                )
            )
        if finding.fix:
            typer.echo(f"    {finding.fix.label.in_language(language)}: --fix {finding.fix.code}")


def report(
    run: RunArgument,
    format: Annotated[str, typer.Option(help="md, html or json.")] = "md",
    language: Annotated[str | None, typer.Option(help="en or zh-CN.")] = None,
) -> None:
    """Print a run's evaluation report."""
    from engine.report.files import load_report, render_html, render_markdown

    if language is not None and language not in LANGUAGES:
        raise ConfigProblem(
            "unknown_language",
            Text(f"There is no report in {language!r}.", f"没有 {language!r} 语言的报告。"),
            Text("Use en or zh-CN.", "请使用 en 或 zh-CN。"),
        )
    found = load_report(find(run).path("report"))
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


def runs(runs_dir: RunsDir = None, json_: Json = False) -> None:
    """List the runs, newest first."""
    found = [(run, run.manifest, about(run)) for run in Store(runs_dir_of(runs_dir))]
    if json_:
        fields = ("id", "task", "model", "state", "created", "headline", "attempt")
        values = [
            {**{name: getattr(m, name) for name in fields}, **asdict(said), "resumable": resumable(run, m)}
            for run, m, said in found
        ]
        typer.echo(json.dumps(values, ensure_ascii=False))
        return
    rows = []
    store = Store(runs_dir_of(runs_dir))
    for run, m, said in found:
        score = f"{m.headline['metric']} {m.headline['value']:.3f}" if m.headline else ""
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(m.created))
        rows.append((m.id, when, m.task, m.model, _state(run, m.state, store), score, said.name))
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


def examples(json_: Json = False) -> None:
    """List the embedded data sets: what each is, where it comes from, its licence and size."""
    from engine.assets import EXAMPLES, is_cached

    if json_:
        values = [
            {
                "name": e.name, "task": e.task, "languages": list(e.languages), "rows": e.rows, "bytes": e.bytes,
                "licence": e.licence, "title": e.title.to_dict(), "about": e.about.to_dict(), "cached": is_cached(e.name),
                "columns": dict(e.columns), "model": e.suggestion, "recommended": e.recommended,
            }
            for e in EXAMPLES.values()
        ]  # fmt: skip
        typer.echo(json.dumps(values, ensure_ascii=False))
        return
    language = terminal_language()
    rows = [
        (
            e.name,
            e.task,
            ",".join(e.languages),
            f"{e.rows:,}",
            f"{e.bytes / 1e6:.1f} MB",
            e.licence,
            "yes" if is_cached(e.name) else "",
            e.about.in_language(language),
        )
        for e in EXAMPLES.values()
    ]
    typer.echo(table(("example", "task", "language", "rows", "size", "licence", "cached", "about"), rows))
