"""A table as it was read, with its provenance.

Knows rows, columns and their place in the source. Does not know what a column means: that is in the mapping of roles to columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table came from and how it was read, shown to the user and recorded with the run."""

    name: str  # file name without directories, example name, or hub id
    format: str  # "csv", "json", "jsonl", "parquet", "xlsx", "conll", "squad", "label-studio", "doccano", "pairs", "hub", ...
    sha256: str = ""  # of the bytes as received
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()  # every sheet of the workbook, to choose from
    revision: str = ""  # the commit that was read, of a hub data set
    notes: tuple[Any, ...] = ()  # engine.core.text.Text: what the reader decided or repaired


@dataclass(slots=True)
class Table:
    """Rows of a source. `frame` has unique string column names and a RangeIndex.

    `lines[i]` is the 1-based place of row i in the source, for messages: its row in a spreadsheet (of a text table as well, where a
    cell may hold several lines), its line in other text files, its place in a JSON list.
    Cells are str, or for structured formats list/dict/int/float/bool; a missing cell is None, never NaN.
    """

    frame: pandas.DataFrame
    source: Source
    lines: list[int] = field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        return list(self.frame.columns)

    def __len__(self) -> int:
        return len(self.frame)
