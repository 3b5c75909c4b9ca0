"""Rows of a mapped table as the examples of a task.

Checks the columns, lets the task read the rows, and refuses a table of which nothing is left. Does not know files, splits or models.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.data.columns import missing_column
from engine.data.config import DataConfig
from engine.data.findings import first_places
from engine.data.table import Table
from engine.data.task import DataTask
from engine.schema import Example, Notice, Place


def read_examples(
    table: Table, task: DataTask, columns: Mapping[str, str], data: DataConfig
) -> tuple[list[Example], list[Notice]]:
    """The examples in a table, and notices of what was left out or decided on the way. `columns` maps roles to columns (all of them).

    Raises ColumnProblem for a column that is not there, FileProblem when no row is left, LabelProblem where labels make no
    sense.
    """
    for role in task.roles:
        column = columns.get(role.name)
        if column is not None and column not in table.columns:
            raise missing_column(table, column, role.label, role.name)
    examples, notices = task.read(table, columns, data)
    if not examples:
        raise _no_usable_rows(table, notices)
    return examples, notices


def _no_usable_rows(table: Table, notices: list[Notice]) -> FileProblem:
    first = next((place for notice in notices for place in notice.rows), None)
    reasons = Text(" ".join(notice.message.en for notice in notices), "".join(notice.message.zh for notice in notices))
    return FileProblem(
        "no_usable_rows",
        Text(
            f"No row of {table.source.name} can be used. {reasons.en}",
            f"{table.source.name} 中没有可用的行。{reasons.zh}",
        ),
        Text("Check which columns were chosen.", "请检查所选的列是否正确。"),
        file=table.source.name,
        row=first.row if first else table.lines[0],
        column=first.column if first else "",
    )


def skipped_rows_notice(code: str, what: Text, places: list[Place]) -> Notice:
    """The notice of rows that lack something (`what`, such as the label) and were left out."""
    count = len(places)
    rows = "row has" if count == 1 else "rows have"
    left = "was" if count == 1 else "were"
    return Notice(
        code,
        "warning",
        Text(f"{count:,} {rows} no {what.en} and {left} left out.", f"{count:,} 行缺少{what.zh}，已略过。"),
        count,
        first_places(places),
    )
