"""The `check` command: findings about a table before it is trained on."""

from __future__ import annotations

import json
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
    Sheet,
    pairs,
    task_of,
)
from engine.config import RunConfig
from engine.core.settings import Settings
from engine.core.text import Text, terminal_language
from engine.tasks import DEFAULT_TASK, TASKS


def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="The table to check; or several, whose names say which is for training, validation and test."
        ),
    ] = None,
    task: Annotated[str, typer.Option(help=f"One of {', '.join(TASKS)}; an example's own, else {DEFAULT_TASK}.")] = "",
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
    """Check a table for problems before training on it."""
    from engine.data.check import place_text
    from engine.data.split_names import split_files
    from engine.training.data_check import check_config, settle_fixes

    by_name = {path.name: str(path) for path in files or []}
    given = {split: by_name[name] for split, name in split_files(list(by_name)).items()} if by_name else {}
    values: dict[str, Any] = {
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
    if chosen := task or task_of(example):
        values["task"] = chosen
    if model:
        values["model"] = {"id": model}
    settings = Settings.from_env()
    result = check_config(settle_fixes(RunConfig.from_dict(values), settings), settings)
    if json_:
        typer.echo(json.dumps(result.to_dict(), ensure_ascii=False))
        return
    language = terminal_language()

    def print_text(text: Text) -> None:
        typer.echo(text.in_language(language))

    for split, rows in result.rows.items():
        mapped = ", ".join(f"{role}={name}" for role, name in result.columns[split].items())
        source = result.sources[split]
        reading = ", ".join(
            part
            for part in (source.format, source.encoding, source.delimiter and repr(source.delimiter), source.sheet)
            if part
        )
        typer.echo(f"{source.name} [{reading}]: {rows} ({mapped})")
        for note in source.notes:
            typer.echo(f"    {note.in_language(language)}")
    for notice in result.fixed:
        print_text(notice.message)
    if not result.findings:
        print_text(Text("No problems found.", "没有发现问题。"))
    for finding in result.findings:
        typer.echo(f"[{finding.severity}] {finding.code}: {finding.message.in_language(language)}")
        for place in finding.rows[:3]:
            typer.echo(f"    {place_text(place).in_language(language)}: {place.excerpt}")
        for length, share in finding.details["lost"].items() if finding.details.get("cut") else ():
            print_text(
                Text(
                    f"    at {length} tokens: {share['rows']:.1%} of the texts are cut, {share['tokens']:.1%} of all tokens lost",
                    f"    最大长度 {length}：{share['rows']:.1%} 的文本被截断，损失 {share['tokens']:.1%} 的 token",
                )
            )
        if finding.fix:
            typer.echo(f"    {finding.fix.label.in_language(language)}: --fix {finding.fix.code}")
