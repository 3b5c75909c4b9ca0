"""The installed command: `tunebench app` serves the page, every other subcommand is the engine's (`python -m engine`).

Knows that one subcommand belongs to the page, which the engine must not import. Does not know what any of them does.
"""

from __future__ import annotations

import typer

from engine.cli import app
from engine.cli import main as run_command

FLAGS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command("app", context_settings=FLAGS)
def serve(context: typer.Context) -> None:
    """Serve the page in the browser (flags: tunebench app --help)."""
    from demo.serve import main as serve_page

    serve_page(context.args, program="tunebench app")


def main() -> None:
    """Run the command line."""
    run_command()


if __name__ == "__main__":
    main()
