"""Plain text pairs: two parts on each line, without a header.

Knows `text ||| text`, `text<TAB>label` without column names, and fastText's `__label__name text`. Does not know roles.
"""

from __future__ import annotations

import re
from dataclasses import replace

from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.data.assemble import make_table
from engine.data.limits import Limits
from engine.data.table import Source, Table

_BARS = " ||| "
_FASTTEXT = re.compile(r"(?:__label__\S+\s+)+")


def looks_like_pairs(text: str, suffix: str) -> bool:
    """Whether every line of the beginning is a pair by ` ||| ` or `__label__`. Text with tabs alone is left to `delimited`."""
    if suffix in (".csv", ".tsv"):
        return False
    lines = [line for line in text[:100_000].split("\n")[:200] if line.strip()]
    return bool(lines) and (
        all(_BARS in line for line in lines) or all(_FASTTEXT.match(line.lstrip()) is not None for line in lines)
    )


def read_pairs(text: str, source: Source, limits: Limits) -> Table:
    """Read lines of pairs. Raises FileProblem with the line that is none."""
    fasttext = _FASTTEXT.match(text.lstrip()) is not None
    rows: list[list[object]] = []
    places: list[int] = []
    width = 0
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        parts: list[object] = _fasttext(line.strip()) if fasttext else [part.strip() for part in line.split(_BARS)]
        width = width or len(parts)
        if len(parts) != width:
            raise FileProblem(
                "ragged_row",
                Text(
                    f"{source.name}, line {number}: {len(parts)} parts found, {width} expected.",
                    f"{source.name} 第 {number} 行：有 {len(parts)} 段，应为 {width} 段。",
                ),
                file=source.name,
                row=number,
                found=len(parts),
                expected=width,
            )
        rows.append(parts)
        places.append(number)
    names = ["text", "label"] if fasttext else [f"column {i}" for i in range(1, width + 1)]
    if width == 3 and not fasttext and len({str(row[2]) for row in rows}) <= max(2, 0.2 * len(rows)):
        names = ["text1", "text2", "label"]  # two texts to compare, and their label
    source = replace(source, format="pairs", delimiter="" if fasttext else _BARS.strip())
    return make_table(names, [list(column) for column in zip(*rows, strict=True)], places, source, limits)


def _fasttext(line: str) -> list[object]:
    match = _FASTTEXT.match(line)
    if match is None:
        return [line]
    labels = [word.removeprefix("__label__") for word in match[0].split()]
    return [line[match.end() :].strip(), labels if len(labels) > 1 else labels[0]]
