"""The engine's modules that travel with a model: how its inputs are encoded and its outputs decoded, exactly as here.

Words, windows, legal tags and spans are part of a model: an implementation of their own in the exported program would drift. The
files are copied as they are into a flat package, with what they import of the engine and nothing else of it. Knows imports of
source files; does not know what the modules do.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "tunebench_decode"


def closure(modules: Iterable[str]) -> list[str]:
    """The modules (`engine.tasks.ner.words`) and all of their projects that they import when they are loaded, sorted."""
    modules = list(modules)
    roots = _roots(modules)
    reached: set[str] = set()
    pending = modules
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            tree = ast.parse(_path(name).read_text(encoding="utf-8"))
            pending += [
                module for node in _project_imports(tree.body, roots) for module in _modules_of(node) if module != name
            ]
    return sorted(reached)


def write_bundled_modules(modules: Iterable[str], folder: Path) -> None:
    """Write the package `folder` (named PACKAGE) with the modules and their closure."""
    modules = list(modules)
    folder.mkdir()
    (folder / "__init__.py").write_text(
        '"""How this model encodes and decodes: files of Tunebench (Apache-2.0), unchanged but for their imports."""\n',
        encoding="utf-8",
    )
    for name in closure(modules):
        source = _path(name).read_text(encoding="utf-8")
        (folder / f"{flat_name(name)}.py").write_text(_with_flat_imports(source, _roots(modules)), encoding="utf-8")


def flat_name(name: str) -> str:
    """`engine.tasks.ner.words` is `tasks_ner_words` in the package."""
    return "_".join(name.split(".")[1:])


def _roots(modules: Iterable[str]) -> set[str]:
    """The top packages whose modules are copied: the engine, and where else a task is defined."""
    return {"engine", *(name.partition(".")[0] for name in modules)}


def _project_imports(body: Iterable[ast.AST], roots: set[str]) -> Iterator[ast.ImportFrom]:
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in roots:
            yield node


def _modules_of(node: ast.ImportFrom) -> list[str]:
    """The modules that `from engine.tasks.qa import windows` or `from engine.tasks.qa.windows import encode` loads."""
    assert node.module is not None
    names = (f"{node.module}.{alias.name}" for alias in node.names)
    return [name if _path(name).is_file() else node.module for name in names]


def _path(name: str) -> Path:
    root, *parts = name.split(".")
    spec = find_spec(root)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{root} is not a package", name=root)
    return Path(spec.submodule_search_locations[0]).joinpath(*parts).with_suffix(".py")


def _with_flat_imports(source: str, roots: set[str]) -> str:
    """The source with the imports of its project, those for type checkers and in functions too, turned to the flat package."""
    lines = source.splitlines(keepends=True)
    for node in _project_imports(ast.walk(ast.parse(source)), roots):
        assert node.end_lineno is not None
        indent = " " * node.col_offset
        statements = []
        for alias, module in zip(node.names, _modules_of(node), strict=True):
            bound = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
            if module == node.module:
                statements.append(f"from {PACKAGE}.{flat_name(module)} import {bound}")
            else:
                statements.append(f"from {PACKAGE} import {flat_name(module)} as {alias.asname or alias.name}")
        lines[node.lineno - 1 : node.end_lineno] = ["\n".join(f"{indent}{line}" for line in statements) + "\n"] + [
            "" for _ in range(node.end_lineno - node.lineno)
        ]
    return "".join(lines)
