"""Several reference summaries in numbered columns (summary1, summary2, ...) become one column that holds lists.

So that a test file with three references has the same column as a training file with one.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from engine.core.text import Text
from engine.data.column_names import names_in, plain_name
from engine.data.table import Table
from engine.tasks.summarization.columns import ALIASES


def join_references(table: Table) -> Table:
    """The table with numbered reference columns joined; any other table unchanged."""
    groups: dict[str, list[str]] = {}
    for column in table.columns:
        match = re.fullmatch(r"(.*?\D)[_ ]?(\d+)", column)
        if match and plain_name(match[1]) in names_in(ALIASES["summary"]):
            groups.setdefault(match[1].rstrip("_ "), []).append(column)
    notes = list(table.source.notes)
    frame = table.frame
    for stem, columns in groups.items():
        if len(columns) < 2 or stem in table.columns:
            continue
        joined = [
            [cell for cell in cells if isinstance(cell, str) and cell.strip()] or None
            for cells in zip(*(frame[column] for column in columns), strict=True)
        ]
        frame = frame.drop(columns=columns)
        frame[stem] = pd.Series(joined, dtype=object)
        notes.append(
            Text(
                f"The columns {', '.join(columns)} were joined into {stem}: several references for each row.",
                f"{'、'.join(columns)} 已合并为 {stem}：每行有多个参考摘要。",
            )
        )
    if frame is table.frame:
        return table
    return Table(frame, replace(table.source, notes=tuple(notes)), table.lines)
