"""The `report` command: a run's evaluation report on stdout."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from engine.cli.shared import RunArgument, find_run
from engine.core.errors import ConfigProblem
from engine.core.text import LANGUAGES, Text, terminal_language


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
    loaded = load_report(find_run(run).path("report"))
    chosen = language or terminal_language()
    renderers = {
        "md": lambda: render_markdown(loaded, chosen),
        "html": lambda: render_html(loaded, chosen),
        "json": lambda: json.dumps(loaded, ensure_ascii=False),
    }
    if format not in renderers:
        raise ConfigProblem(
            "unknown_format",
            Text(f"There is no report format {format!r}.", f"没有名为 {format!r} 的报告格式。"),
            Text("Use md, html or json.", "请使用 md、html 或 json。"),
        )
    typer.echo(renderers[format]())
