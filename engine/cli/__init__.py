"""The command line: python -m engine train | check | evaluate | predict | report | export | runs | resume | stop | ...

Progress goes to stderr; results, which a program may read, go to stdout. Exit code 0 only for success, 2 for wrong input, 1 for a
failure. Knows flags and messages; everything else is the engine's.
"""

from __future__ import annotations

import json
import sys

import typer
from typer.exceptions import TyperException

from engine.cli.check import check
from engine.cli.examples import examples
from engine.cli.export import export
from engine.cli.job import job
from engine.cli.predict import evaluate, predict
from engine.cli.report import report
from engine.cli.runs import clone, delete, note, rename, resume, runs, stop
from engine.cli.train import train
from engine.core.errors import ConfigProblem, UserError
from engine.core.text import Text, terminal_language

app = typer.Typer(
    name="tunebench",
    help="Fine-tune a transformer on your own table, and read a report you can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    train, check, predict, evaluate, report, export, job, runs, resume, stop, clone, rename, note, delete, examples,
):  # fmt: skip
    app.command()(command)


def main() -> None:
    """Run a command. An error becomes a message on stderr and an exit code, never a traceback.

    With `--json` it is also the last line of stdout: {"state": "failed", "error": UserError.to_dict()}, for a wrong flag too.
    """
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except TyperException as error:
        problem = _usage_problem(error)
        typer.echo(problem.in_language(terminal_language()), err=True)
        _print_json(problem)
        sys.exit(error.exit_code)
    except UserError as error:
        typer.echo(error.in_language(terminal_language()), err=True)
        _print_json(error)
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit(1)


def _usage_problem(error: TyperException) -> ConfigProblem:
    """An unknown flag or command, or an invalid value. typer's message is English only, the hint is in both languages."""
    message = error.format_message().strip()
    return ConfigProblem(
        "usage",
        Text(message if message.endswith((".", ")", "?")) else f"{message}.", message),
        Text("The command with --help lists what there is.", "可在命令后加 --help 查看用法。"),
    )


def _print_json(error: UserError) -> None:
    if "--json" in sys.argv:
        typer.echo(json.dumps({"state": "failed", "error": error.to_dict()}, ensure_ascii=False))
