"""The command line: python -m engine train | check | evaluate | predict | report | runs | examples.

Progress goes to stderr; what a program may read goes to stdout. Exit code 0 only for success, 2 for wrong input, 1 for a
failure. Knows words and flags; everything else is the engine's.
"""

from __future__ import annotations

import json
import sys

import typer

from engine.cli.answer import evaluate, predict
from engine.cli.look import check, examples, report, runs
from engine.cli.train import train
from engine.errors import UserError
from engine.text import terminal_language

app = typer.Typer(
    name="tunebench",
    help="Fine-tune a transformer on your own table, and read a report you can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (train, check, predict, evaluate, report, runs, examples):
    app.command()(command)


def main() -> None:
    """Run a command. What goes wrong becomes a message on stderr and an exit code, never a traceback.

    With `--json` it is also the last line of stdout: {"state": "failed", "error": UserError.to_dict()}.
    """
    try:
        app()
    except UserError as error:
        typer.echo(error.in_language(terminal_language()), err=True)
        if "--json" in sys.argv:
            typer.echo(json.dumps({"state": "failed", "error": error.to_dict()}, ensure_ascii=False))
        sys.exit(error.exit_code)
