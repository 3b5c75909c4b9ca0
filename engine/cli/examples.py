"""The `examples` command: the embedded data sets."""

from __future__ import annotations

import json

import typer

from engine.cli.shared import Json
from engine.cli.terminal import table
from engine.core.text import terminal_language


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
