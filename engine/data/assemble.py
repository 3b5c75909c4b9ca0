"""From parsed rows to a Table: unique column names, missing cells, limits.

Knows what every table must be, whichever format it came from. Does not know formats or tasks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.data.limits import Limits
from engine.data.table import Source, Table


def make_table(
    names: Sequence[str],
    columns: Sequence[list[Any]],
    lines: list[int],
    source: Source,
    limits: Limits,
    notes: Iterable[Text] = (),
) -> Table:
    """A Table of `columns` (lists of equal length, one per name). The lists are modified: missing cells become None.

    Names are made unique and never empty; a column that has neither name nor content is left out. Raises FileProblem where
    there are no rows, or more rows, columns or characters in a cell than the limits allow.
    """
    if not lines:
        raise no_rows(source.name)
    if len(lines) > limits.max_rows:
        raise too_many_rows(source.name, limits)
    if len(columns) > limits.max_columns:
        raise FileProblem(
            "too_many_columns",
            Text(
                f"{source.name} has {len(columns):,} columns; at most {limits.max_columns:,} are read.",
                f"{source.name} 有 {len(columns):,} 列，最多读取 {limits.max_columns:,} 列。",
            ),
            Text("Keep the columns that the task needs.", "请只保留任务需要的列。"),
            file=source.name,
            row=1,
            column=limits.max_columns + 1,
        )
    notes = list(notes)
    unique = _unique_names(names, notes)
    data: dict[str, pd.Series] = {}
    for name, original, cells in zip(unique, names, columns, strict=True):
        empty = True
        for i, cell in enumerate(cells):
            if type(cell) is str:
                if len(cell) > limits.max_cell_chars:
                    raise _too_long(source.name, lines[i], name, len(cell), limits)
                if not cell:
                    cells[i] = None
                else:
                    empty = False
            elif cell is not None:
                if type(cell) is float and not math.isfinite(cell):
                    cells[i] = None
                else:
                    empty = False
        if empty and not original.strip():
            continue
        data[name] = pd.Series(cells, dtype=object)
    if not data:
        raise no_rows(source.name)
    return Table(pd.DataFrame(data), replace(source, notes=(*source.notes, *notes)), lines)


def _unique_names(names: Sequence[str], notes: list[Text]) -> list[str]:
    unique: list[str] = []
    repeated: list[str] = []
    used: set[str] = set()
    names = [name.replace("\ufeff", "").strip() for name in names]  # a second byte order mark is not part of a name
    originals = set(names)
    for place, raw in enumerate(names, start=1):
        name = raw or f"column {place}"
        if name in used:
            repeated.append(name)
            count = 2
            while (renamed := f"{name} ({count})") in used or renamed in originals:
                count += 1
            name = renamed
        used.add(name)
        unique.append(name)
    if repeated:
        repeated_names = ", ".join(dict.fromkeys(repeated))
        notes.append(
            Text(
                f"Several columns share a name ({repeated_names}); the later ones were numbered.",
                f"存在重名的列（{repeated_names}），后面的列已加上编号。",
            )
        )
    return unique


def no_rows(name: str) -> FileProblem:
    return FileProblem(
        "no_rows",
        Text(f"{name} has no rows below its header.", f"{name} 除表头外没有数据。"),
        Text("Add rows, or choose another file.", "请补充数据，或换一个文件。"),
        file=name,
        row=1,
    )


def too_many_rows(name: str, limits: Limits) -> FileProblem:
    return FileProblem(
        "too_many_rows",
        Text(
            f"{name} has more than {limits.max_rows:,} rows, the most that are read here.",
            f"{name} 超过 {limits.max_rows:,} 行，这是此处可读取的上限。",
        ),
        Text("Take a sample of the rows, or raise TUNEBENCH_MAX_ROWS.", "请抽取部分数据，或调大 TUNEBENCH_MAX_ROWS。"),
        file=name,
        row=limits.max_rows + 1,
    )


def _too_long(name: str, row: int, column: str, length: int, limits: Limits) -> FileProblem:
    return FileProblem(
        "cell_too_long",
        Text(
            f"{name}, row {row}, column {column!r}: the cell has {length:,} characters; at most "
            f"{limits.max_cell_chars:,} are read.",
            f"{name} 第 {row} 行 {column!r} 列：单元格有 {length:,} 个字符，最多读取 {limits.max_cell_chars:,} 个。",
        ),
        Text(
            "Often a quote that is never closed; otherwise split the text.",
            "常见原因是引号没有闭合；否则请拆分该文本。",
        ),
        file=name,
        row=row,
        column=column,
    )
