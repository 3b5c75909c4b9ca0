"""The `export` command: a run's model on its way out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.shared import Json, RunArgument, find
from engine.core.errors import ConfigProblem
from engine.core.text import Text, terminal_language
from engine.run_directory.store import Run

Out = Path | None


def export(
    run: RunArgument,
    to: Annotated[str, typer.Option(help="One of zip, onnx, space, hub.")] = "zip",
    out: Annotated[Path | None, typer.Option(help="Where it goes; the run's export folder when not given.")] = None,
    onnx: Annotated[
        bool, typer.Option("--onnx", help="zip and hub: with ONNX files, measured against PyTorch.")
    ] = False,
    repo: Annotated[str, typer.Option(metavar="OWNER/NAME", help="hub: the repository.")] = "",
    push: Annotated[bool, typer.Option("--push", help="hub: upload; without it only the plan is shown.")] = False,
    as_space: Annotated[bool, typer.Option("--space", help="hub: push the Space instead of the model.")] = False,
    everyone: Annotated[bool, typer.Option("--public", help="hub: a new repository that everyone can read.")] = False,
    json_: Json = False,
) -> None:
    """Take a run's model along: a zip that answers without Tunebench, ONNX files, a Space, or a repository on the hub.

    The hub's token comes from HF_TOKEN or `hf auth login`; there is no flag for it, because flags are seen by others.
    """
    ways: dict[str, Callable[[Run], dict[str, Any]]] = {
        "zip": lambda found: _zip(found, out, onnx),
        "onnx": lambda found: _onnx(found, out),
        "space": lambda found: _space(found, out),
        "hub": lambda found: _hub(found, repo, push, as_space, not everyone, onnx, json_),
    }
    if to not in ways:
        raise ConfigProblem(
            "unknown_way",
            Text(f"There is no way out called {to!r}.", f"没有名为 {to!r} 的导出方式。"),
            Text(f"Use one of {', '.join(ways)}.", f"可选：{'、'.join(ways)}。"),
        )
    found = find(run)
    # What libraries narrate while a model is loaded and written belongs on nobody's terminal.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    result = ways[to](found)
    typer.echo(json.dumps(result, ensure_ascii=False) if json_ else str(result["out"]))


def _tell(text: Text) -> None:
    typer.echo(text.in_language(terminal_language()), err=True)


def _packed(path: Path) -> dict[str, Any]:
    return {"out": str(path), "bytes": path.stat().st_size}


def _zip(run: Run, out: Out, onnx: bool) -> dict[str, Any]:
    from engine.export.package import make_zip

    return _packed(make_zip(run, out, onnx, _tell))


def _onnx(run: Run, out: Out) -> dict[str, Any]:
    from engine.export.package import make_onnx

    return _packed(make_onnx(run, out, _tell))


def _space(run: Run, out: Out) -> dict[str, Any]:
    from engine.export.space import make_space

    return {"out": str(make_space(run, out, _tell))}


def _hub(run: Run, repo: str, push: bool, space: bool, private: bool, onnx: bool, quiet: bool) -> dict[str, Any]:
    from engine.export import hub

    with hub.upload_plan(run, repo, space=space, private=private, onnx=onnx, tell=_tell) as plan:
        if not quiet:
            for name, size in plan.files:
                _tell(Text(f"{size:>14,}  {name}", f"{size:>14,}  {name}"))
            seen = Text("private", "私有") if private else Text("public", "公开")
            what = f"{plan.kind} {repo}, {plan.bytes / 1e6:.1f} MB, "
            _tell(Text(what + seen.en, what + seen.zh))
        result = {"files": dict(plan.files), "card": plan.card, "pushed": push}
        if not push:
            if not quiet:
                _tell(Text(plan.card, plan.card))
            _tell(Text("Nothing was uploaded. Say --push to do it.", "尚未上传任何内容；加上 --push 才会上传。"))
            return {"out": repo, **result}
        return {"out": hub.push(plan, None, _tell), **result}
