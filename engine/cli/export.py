"""The `export` command: a run's model on its way out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.shared import Json, RunArgument, find
from engine.errors import ConfigProblem
from engine.runs.store import Run
from engine.text import Text, terminal_language

Out = Path | None


def export(
    run: RunArgument,
    to: Annotated[str, typer.Option(help="One of zip, space.")] = "zip",
    out: Annotated[Path | None, typer.Option(help="Where it goes; the run's export folder when not given.")] = None,
    json_: Json = False,
) -> None:
    """Take a run's model along: a zip that answers without Tunebench, or a Space."""
    ways: dict[str, Callable[[Run], dict[str, Any]]] = {
        "zip": lambda found: _zip(found, out),
        "space": lambda found: _space(found, out),
    }
    if to not in ways:
        raise ConfigProblem(
            "unknown_way",
            Text(f"There is no way out called {to!r}.", f"没有名为 {to!r} 的导出方式。"),
            Text(f"Use one of {', '.join(ways)}.", f"可选：{'、'.join(ways)}。"),
        )
    result = ways[to](find(run))
    typer.echo(json.dumps(result, ensure_ascii=False) if json_ else str(result["out"]))


def _tell(text: Text) -> None:
    typer.echo(text.in_language(terminal_language()), err=True)


def _zip(run: Run, out: Out) -> dict[str, Any]:
    from engine.export.package import make_zip

    path = make_zip(run, out, tell=_tell)
    return {"out": str(path), "bytes": path.stat().st_size}


def _space(run: Run, out: Out) -> dict[str, Any]:
    from engine.export.space import make_space

    return {"out": str(make_space(run, out, _tell))}
