"""Small tables for tests, as the readers would return them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from engine.data.table import Source, Table


def table(columns: dict[str, list[Any]], name: str = "a.csv") -> Table:
    """A table whose first row stands in line 2, below a header."""
    frame = pd.DataFrame({column: pd.Series(cells, dtype=object) for column, cells in columns.items()})
    return Table(frame, Source(name=name, format="csv"), list(range(2, len(frame) + 2)))
