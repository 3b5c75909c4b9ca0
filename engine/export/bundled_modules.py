"""Modules of the engine that leave with a model: how texts become pieces, and scores become answers, exactly as here.

A model's reading rules (words, windows, legal tags, spans) are part of the model: written a second time they would drift. The files
go along as they are, in a flat package `rules`, with what they import of the engine and nothing else of it. Knows imports of source
files; does not know what the modules do.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

ENGINE = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(r"^(\s*from )engine((?:\.\w+)+)( import )", re.MULTILINE)


def closure(modules: Iterable[str]) -> list[str]:
    """The modules (`engine.tasks.ner.words`) and all of the engine that they import when they are loaded, sorted."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _imports(_path(name).read_text(encoding="utf-8"))
    return sorted(found)


def write_bundled_modules(modules: Iterable[str], folder: Path) -> None:
    """Write the package `folder` (named rules) with the modules and their closure."""
    folder.mkdir()
    (folder / "__init__.py").write_text(
        '"""How this model reads and answers: files of Tunebench (Apache-2.0), unchanged but for their imports."""\n',
        encoding="utf-8",
    )
    for name in closure(modules):
        source = _path(name).read_text(encoding="utf-8")
        (folder / f"{_flat(name)}.py").write_text(_IMPORT.sub(_renamed, source), encoding="utf-8")


def _imports(source: str) -> list[str]:
    """The engine's modules that a module imports at its top: neither for type checkers alone, nor inside a function."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("engine."):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.append(inner if _path(inner).is_file() else node.module)
    return found


def _path(name: str) -> Path:
    return ENGINE.joinpath(*name.split(".")[1:]).with_suffix(".py")


def _flat(name: str) -> str:
    """`engine.tasks.ner.words` is `tagging_words` in the package."""
    return "_".join(name.split(".")[1:])


def _renamed(found: re.Match[str]) -> str:
    # A module imported from its package: `from engine.tasks.qa.model import windows` becomes `from rules import answering_windows`.
    return f"{found[1]}rules.{_flat('engine' + found[2])}{found[3]}"
