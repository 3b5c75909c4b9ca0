"""Label Studio's short exports (JSON-MIN, CSV, TSV), in which a row holds the data and the annotations of a task side by side.

Knows two of their peculiarities: a task without any span has no cell for spans, and several choices are an object while one is a text.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from engine.core.text import Text
from engine.data.cells import as_value
from engine.data.profile import is_span
from engine.data.table import Table

_MARKS = frozenset(("annotator", "lead_time", "updated_at", "created_at"))


def fill_short_export(table: Table, annotated: bool) -> Table:
    """The table with empty lists for tasks that were annotated and have no span, and choices as lists; any other table unchanged.

    `annotated`: rows are texts with spans, so that a missing cell of spans means none.
    """
    if "annotation_id" not in table.columns or not _MARKS & set(table.columns):
        return table
    frame, notes = table.frame.copy(), list(table.source.notes)
    looked_at = frame["annotation_id"].notna()
    for name in table.columns:
        values = [as_value(cell) for cell in frame[name]]
        lists = [value for value in values if isinstance(value, list)]
        if annotated and lists and all(is_span(item) for value in lists for item in value):
            filled = [
                [] if value is None and looked else value for value, looked in zip(values, looked_at, strict=True)
            ]
            frame[name] = pd.Series(filled, dtype=object)
            empty = sum(value is None and looked for value, looked in zip(values, looked_at, strict=True))
            if empty:
                notes.append(
                    Text(
                        f"{empty:,} annotated rows without any span were read as having none.",
                        f"{empty:,} 行已标注但没有实体，按“无实体”读取。",
                    )
                )
        elif any(isinstance(value, dict) and value.keys() == {"choices"} for value in values):
            frame[name] = pd.Series(
                [value["choices"] if isinstance(value, dict) and "choices" in value else value for value in values],
                dtype=object,
            )
    source = replace(table.source, format="label-studio", notes=tuple(notes))
    return Table(frame, source, table.lines)
