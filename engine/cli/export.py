"""The `export` command: a run's model as a zip, ONNX files, a Space or a repository on the hub."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.shared import Json, RunArgument, find_run
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
    """Export a run's model: a zip that answers without Tunebench, ONNX files, a Space, or a repository on the hub.

    The hub's token comes from HF_TOKEN or `hf auth login`; there is no flag for it, because flags are seen by others.
    """
    formats: dict[str, Callable[[Run], dict[str, Any]]] = {
        "zip": lambda run: _zip(run, out, onnx),
        "onnx": lambda run: _onnx(run, out),
        "space": lambda run: _space(run, out),
        "hub": lambda run: _hub(run, repo, push, as_space, not everyone, onnx, json_),
    }
    if to not in formats:
        raise ConfigProblem(
            "unknown_way",
            Text(f"There is no export format {to!r}.", f"没有名为 {to!r} 的导出方式。"),
            Text(f"Use one of {', '.join(formats)}.", f"可选：{'、'.join(formats)}。"),
        )
    opened = find_run(run)
    # The progress bars and notes of libraries are not for this command's users.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    result = formats[to](opened)
    typer.echo(json.dumps(result, ensure_ascii=False) if json_ else str(result["out"]))


def _print_progress(text: Text) -> None:
    typer.echo(text.in_language(terminal_language()), err=True)


def _file_result(path: Path) -> dict[str, Any]:
    return {"out": str(path), "bytes": path.stat().st_size}


def _zip(run: Run, out: Out, onnx: bool) -> dict[str, Any]:
    from engine.export.package import make_zip

    return _file_result(make_zip(run, out, onnx, _print_progress))


def _onnx(run: Run, out: Out) -> dict[str, Any]:
    from engine.export.package import make_onnx

    return _file_result(make_onnx(run, out, _print_progress))


def _space(run: Run, out: Out) -> dict[str, Any]:
    from engine.export.space import make_space

    return {"out": str(make_space(run, out, _print_progress))}


def _hub(run: Run, repo: str, push: bool, space: bool, private: bool, onnx: bool, json_: bool) -> dict[str, Any]:
    from engine.export import hub

    with hub.upload_plan(run, repo, space=space, private=private, onnx=onnx, progress=_print_progress) as plan:
        if not json_:
            for name, size in plan.files:
                _print_progress(Text(f"{size:>14,}  {name}", f"{size:>14,}  {name}"))
            visibility = Text("private", "私有") if private else Text("public", "公开")
            summary = f"{plan.kind} {repo}, {plan.bytes / 1e6:.1f} MB, "
            _print_progress(Text(summary + visibility.en, summary + visibility.zh))
        result = {"files": dict(plan.files), "card": plan.card, "pushed": push}
        if not push:
            if not json_:
                _print_progress(Text(plan.card, plan.card))
            _print_progress(
                Text("Nothing was uploaded. Use --push to upload.", "尚未上传任何内容；加上 --push 才会上传。")
            )
            return {"out": repo, **result}
        return {"out": hub.push(plan, None, _print_progress), **result}
