"""The command that serves the page: its flags, settings from the environment, and the launch.

`python app.py` and `tunebench app` are both this. Knows flags and environment variables; does not know the page.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from demo.launch import launch
from engine.core.openmp_env import OPENMP_ENV
from engine.core.settings import Settings
from engine.core.text import LANGUAGES

# PyTorch comes later, with the first answer.
for name, value in OPENMP_ENV.items():
    os.environ.setdefault(name, value)


def user(given: str) -> tuple[str, str]:
    """USER:PASSWORD; an error message never repeats a wrong one."""
    name, colon, password = given.partition(":")
    if not (name and colon and password):
        raise argparse.ArgumentTypeError("give USER:PASSWORD")
    return name, password


def main(arguments: Sequence[str] | None = None, program: str | None = None) -> None:
    """Serve the page until interrupted. `arguments` are those of the command line where none are given."""
    variables = os.environ
    parser = argparse.ArgumentParser(
        prog=program, description="Tunebench: fine-tune a transformer on your own table, in the browser."
    )
    parser.add_argument("--host", default=variables.get("GRADIO_SERVER_NAME", "127.0.0.1"), help="address to listen on")
    parser.add_argument("--port", type=int, default=int(variables.get("GRADIO_SERVER_PORT", "7860")), help="port")
    parser.add_argument("--share", action="store_true", help="also make a temporary public link (implies --public)")
    parser.add_argument(
        "--public", action=argparse.BooleanOptionalAction, default=None, help="limits for strangers, or none"
    )
    parser.add_argument(
        "--auth",
        action="append",
        type=user,
        metavar="USER:PASSWORD",
        help="who may enter; may be repeated. TUNEBENCH_AUTH keeps it out of the list of processes",
    )
    parser.add_argument("--lang", choices=LANGUAGES, default="", help="language of the page, else the browser's")
    parser.add_argument("--mcp", action="store_true", help="also serve the interface as MCP tools")
    given = parser.parse_args(arguments)
    if given.public is None and given.share:
        given.public = True
    if given.public is not None:
        # The workers read it too: a limit that only the page knew would be none.
        variables["TUNEBENCH_PUBLIC"] = "1" if given.public else "0"
    auth = given.auth or [user(pair) for pair in variables.get("TUNEBENCH_AUTH", "").split(",") if pair]
    launch(Settings.from_env(), given.host, given.port, given.share, auth, given.lang, given.mcp)
