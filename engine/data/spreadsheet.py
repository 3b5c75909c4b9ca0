"""XLSX workbooks: one sheet as a table, with the stored values of its cells.

Knows title rows, formulas without a stored value, dates and merged cells. Never computes a formula and never runs a macro. Does
not check the archive itself: `archive` has measured it before.
"""

from __future__ import annotations

import datetime
import io
import xml.etree.ElementTree
import zipfile
from dataclasses import replace
from typing import Any

import openpyxl
from openpyxl.chartsheet import Chartsheet
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.data.assemble import make_table, no_rows, too_many_rows
from engine.data.limits import Limits
from engine.data.table import Source, Table

_ERRORS = frozenset(("#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#DIV/0!", "#GETTING_DATA"))


def read_spreadsheet(data: bytes, source: Source, limits: Limits, *, sheet: str = "") -> Table:
    """Read the sheet called `sheet`, or the first one that holds anything. The place of a row is its number in the sheet.

    Raises FileProblem for a workbook that is damaged, and for a sheet that is not there (the message lists those that are).
    """
    try:
        workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            names = workbook.sheetnames
            if sheet and sheet not in names:
                raise _no_sheet(source.name, sheet, names)
            for name in [sheet] if sheet else names:
                rows, lines = _cells(workbook[name], source.name, limits)
                if rows:
                    break
            else:
                raise no_rows(source.name)
        finally:
            workbook.close()
        notes = _notes_on_formulas(data, name, rows, lines)
    except (
        zipfile.BadZipFile, InvalidFileException, xml.etree.ElementTree.ParseError, KeyError, ValueError, TypeError,
        IndexError, AttributeError, OSError, EOFError,
    ) as error:  # fmt: skip
        # openpyxl trusts a workbook's parts to fit together and raises whatever that leads to.
        raise FileProblem(
            "damaged_workbook",
            Text(f"{source.name} is a damaged workbook: {error}.", f"{source.name} 是损坏的工作簿：{error}。"),
            Text("Open it in Excel and save it again.", "请在 Excel 中打开并重新保存。"),
            file=source.name,
        ) from error
    others = [other for other in names if other != name]
    if others and not sheet:
        notes.append(
            Text(
                f"The sheet {name!r} was read; there are also {', '.join(map(repr, others[:8]))}.",
                f"读取了工作表 {name!r}，另有 {'、'.join(map(repr, others[:8]))}。",
            )
        )
    source = replace(source, format="xlsx", sheet=name, sheets=tuple(names))
    return _table(rows, lines, source, limits, notes)


def _no_sheet(file: str, sheet: str, names: list[str]) -> FileProblem:
    return FileProblem(
        "no_such_sheet",
        Text(
            f"{file} has no sheet {sheet!r}. It has {', '.join(map(repr, names))}.",
            f"{file} 中没有工作表 {sheet!r}。现有：{'、'.join(map(repr, names))}。",
        ),
        file=file,
        sheet=sheet,
    )


def _cells(worksheet: Any, file: str, limits: Limits) -> tuple[list[list[Any]], list[int]]:
    """Rows that hold anything, and their numbers in the sheet."""
    if isinstance(worksheet, Chartsheet):
        return [], []
    worksheet.reset_dimensions()  # the size that a file claims can be wrong
    rows: list[list[Any]] = []
    lines: list[int] = []
    for number, row in enumerate(worksheet.iter_rows(values_only=True), start=1):
        cells = [_cell(value) for value in row]
        while cells and cells[-1] is None:
            cells.pop()
        if not cells:
            continue
        rows.append(cells)
        lines.append(number)
        if len(rows) > limits.max_rows + 1:
            raise too_many_rows(file, limits)
    return rows, lines


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return None if isinstance(value, str) and (not value or value in _ERRORS) else value
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def _notes_on_formulas(data: bytes, sheet: str, rows: list[list[Any]], lines: list[int]) -> list[Text]:
    """Notes on how many formulas were read by their stored value, and which have none."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [name for name in archive.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")]
        if not any(b"<f" in archive.read(part) for part in parts):
            return []
    values = dict(zip(lines, rows, strict=True))
    workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False)
    stored, empty = 0, []
    try:
        worksheet = workbook[sheet]
        worksheet.reset_dimensions()
        for number, row in enumerate(worksheet.iter_rows(values_only=True), start=1):
            for column, value in enumerate(row):
                if isinstance(value, str) and value.startswith("="):
                    cells = values.get(number, [])
                    if column < len(cells) and cells[column] is not None:
                        stored += 1
                    else:
                        empty.append(f"{get_column_letter(column + 1)}{number}")
    finally:
        workbook.close()
    notes = []
    if stored:
        notes.append(
            Text(
                f"{stored:,} formulas were read by the value they last had.",
                f"有 {stored:,} 个公式，按其最近一次的计算结果读取。",
            )
        )
    if empty:
        listed = ", ".join(empty[:5])
        notes.append(
            Text(
                f"{len(empty):,} formulas have no stored value and count as empty ({listed}); save the file in Excel first.",
                f"有 {len(empty):,} 个公式没有保存结果，按空单元格处理（{listed}）；请先在 Excel 中打开并保存。",
            )
        )
    return notes


def _table(rows: list[list[Any]], lines: list[int], source: Source, limits: Limits, notes: list[Text]) -> Table:
    # A title above the table: rows of one cell before the first wider one.
    width = max(map(len, rows))
    titles = 0
    while width > 1 and titles < min(5, len(rows) - 1) and sum(cell is not None for cell in rows[titles]) == 1:
        titles += 1
    if titles:
        if sum(cell is not None for cell in rows[titles]) < 2:
            titles = 0
        else:
            notes.append(
                Text(
                    f"Rows above the table were skipped: {titles}.",
                    f"已跳过表格上方的 {titles} 行标题。",
                )
            )
    header, body = rows[titles], rows[titles + 1 :]
    names = [_name(cell) for cell in header] + [""] * (width - len(header))
    columns = [[row[i] if i < len(row) else None for row in body] for i in range(width)]
    return make_table(names, columns, lines[titles + 1 :], source, limits, notes)


def _name(cell: Any) -> str:
    return "" if cell is None else str(cell)
