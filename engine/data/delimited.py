"""Text tables: comma, tab, semicolon or bar between the columns.

Knows quoting, headers and ragged rows, and reports the line that cannot be parsed. Does not know encodings: its input is decoded text.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.data.assemble import make_table, no_rows, too_many_rows
from engine.data.delimiter import has_header, skip_titles, sniff_delimiter
from engine.data.limits import Limits
from engine.data.table import Source, Table

_NAMED = {"comma": ",", "tab": "\t", "\\t": "\t", "semicolon": ";", "bar": "|", "pipe": "|", "space": " "}
# A delimiter that occurs in no text: every line stays one field.
_NEVER = "\x1f"


@dataclass(frozen=True, slots=True)
class _Dialect:
    """One way to read quotes. `note` is shown when this dialect replaces the default one."""

    options: dict[str, Any]
    note: Text | None = None


_DOUBLED = _Dialect({"strict": True})
_BACKSLASH = _Dialect(
    {"strict": True, "escapechar": "\\", "doublequote": False},
    Text('Quotes inside cells are escaped by a backslash (\\").', '单元格内的引号以反斜杠转义（\\"）。'),
)
_UNQUOTED = _Dialect(
    {"quoting": csv.QUOTE_NONE},
    Text("Quotation marks are read as part of the text.", "引号按普通文字读入。"),
)


class _Start(NamedTuple):
    """Where a row begins: its line in a text editor, and its number in a spreadsheet, where a cell may hold several lines."""

    line: int
    row: int


def read_delimited(text: str, source: Source, limits: Limits, *, delimiter: str = "", suffix: str = "") -> Table:
    """Read a text table. `delimiter` (a character, or a word such as "tab") is sniffed when empty.

    Raises FileProblem that names the line for a quote that never closes and for rows with too few or too many fields.
    """
    notes: list[Text] = []
    skipped = 0
    if text[:4].lower() == "sep=" and len(text) > 5 and text[5:6] in ("\r", "\n", ""):
        # The line "sep=;" at the top, which declares the delimiter to Excel.
        delimiter = delimiter or text[4]
        rest = text[5:].lstrip("\r\n")
        skipped = text[: len(text) - len(rest)].count("\n") or 1
        text = rest
    if not text.strip():
        raise no_rows(source.name)
    delimiter = _named_delimiter(delimiter, source.name) if delimiter else sniff_delimiter(text, suffix)
    rows, starts = _parse(text, delimiter or _NEVER, source.name, limits, notes)
    if not rows:
        raise no_rows(source.name)
    # Spreadsheets do not show that line: it counts for line numbers, not for row numbers.
    starts = [start._replace(line=start.line + skipped) for start in starts]
    names = _header(rows, starts, notes)
    if not rows:
        raise no_rows(source.name)
    _level(rows, starts, names, source.name)
    source = replace(source, delimiter=delimiter)
    columns = [[row[i] for row in rows] for i in range(len(names))]
    rows.clear()  # a million lists of cells take more memory than the cells
    return make_table(names, columns, [start.row for start in starts], source, limits, notes)


def _named_delimiter(delimiter: str, name: str) -> str:
    character = _NAMED.get(delimiter.lower(), delimiter)
    if len(character) != 1 or character in '"\r\n':
        raise FileProblem(
            "bad_delimiter",
            Text(
                f"{delimiter!r} cannot part columns: a delimiter is one character.",
                f"{delimiter!r} 不能用作列分隔符：分隔符应为单个字符。",
            ),
            Text("Use a comma, semicolon, bar or tab, or leave it empty.", "请使用逗号、分号、竖线或制表符，或留空。"),
            file=name,
        )
    return character


def _parse(
    text: str, delimiter: str, name: str, limits: Limits, notes: list[Text]
) -> tuple[list[list[str]], list[_Start]]:
    """Rows and where each begins. Blank lines are left out, and counted."""
    # Tab-separated text mostly has no quoting at all; elsewhere treating quotes as text would split cells silently.
    dialects = (_DOUBLED, _BACKSLASH, _UNQUOTED) if delimiter in ("\t", _NEVER) else (_DOUBLED, _BACKSLASH)
    first_problem: FileProblem | None = None
    for dialect in dialects:
        if dialect is _BACKSLASH and '\\"' not in text:
            continue
        try:
            parsed = _parse_as(text, delimiter, dialect, name, limits)
        except FileProblem as problem:
            if problem.code != "bad_quotes":
                raise
            first_problem = first_problem or problem
            continue
        if dialect.note:
            notes.append(dialect.note)
        return parsed
    assert first_problem is not None  # _DOUBLED always ran
    raise first_problem


def _parse_as(
    text: str, delimiter: str, dialect: _Dialect, name: str, limits: Limits
) -> tuple[list[list[str]], list[_Start]]:
    rows: list[list[str]] = []
    starts: list[_Start] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, **dialect.options)
    start = 1
    try:
        for number, row in enumerate(reader, start=1):
            if row and (len(row) > 1 or row[0].strip()):
                rows.append(row)
                starts.append(_Start(start, number))
                if len(rows) > limits.max_rows + 1:
                    raise too_many_rows(name, limits)
            start = reader.line_num + 1
    except csv.Error as error:
        ended = "unexpected end of data" in str(error)
        raise FileProblem(
            "bad_quotes",
            Text(
                f"{name}, line {start}: a quotation mark opens here and is never closed."
                if ended
                else f"{name}, line {start}: a closing quotation mark is followed by more text.",
                f"{name} 第 {start} 行：此处的引号没有闭合。"
                if ended
                else f"{name} 第 {start} 行：右引号之后还有其他文字。",
            ),
            Text(
                'Put the cell in quotes and double the quotes inside it (""), or save the table as XLSX or TSV.',
                '请用引号括住该单元格，并将其中的引号写成两个（""），或另存为 XLSX、TSV。',
            ),
            file=name,
            row=start,
        ) from error
    return rows, starts


def _header(rows: list[list[str]], starts: list[_Start], notes: list[Text]) -> list[str]:
    """Remove titles and column names from the front of `rows`; names are generated where the first line is data."""
    titles = skip_titles(rows)
    if titles:
        del rows[:titles], starts[:titles]
        notes.append(Text(f"Lines above the table were skipped: {titles}.", f"已跳过表格上方的 {titles} 行标题。"))
    if has_header(rows):
        starts.pop(0)
        names = rows.pop(0)
        if len(names) > 1 and rows and all(len(row) == len(names) + 1 for row in rows):
            names = ["row name", *names]  # R's write.table does not name the column of row names
        return names
    notes.append(
        Text(
            "The first line looks like data, not like column names; the columns were numbered.",
            "首行看起来是数据而不是列名，已为各列编号。",
        )
    )
    width = max(len(row) for row in rows[:500])
    return [f"column {i}" for i in range(1, width + 1)]


def _level(rows: list[list[str]], starts: list[_Start], names: list[str], name: str) -> None:
    """Give every row as many cells as there are names: empty cells at the end are free, anything else is refused."""
    width = len(names)
    ragged: list[int] = []
    for i, row in enumerate(rows):
        if len(row) == width:
            continue
        if len(row) > width and not any(cell.strip() for cell in row[width:]):
            del row[width:]
        elif len(row) < width and not any(cell.strip() for cell in row):
            row.extend([""] * (width - len(row)))
        else:
            ragged.append(i)
    if not ragged:
        return
    first = ragged[0]
    field_count, more = len(rows[first]), len(ragged) - 1
    also_en = f" {more} more {'line has' if more == 1 else 'lines have'} the same problem." if more else ""
    also_zh = f"另有 {more} 行存在同样的问题。" if more else ""
    raise FileProblem(
        "ragged_row",
        Text(
            f"{name}, line {starts[first].line}: {field_count} {'field' if field_count == 1 else 'fields'} found, {width} expected.{also_en}",
            f"{name} 第 {starts[first].line} 行：有 {field_count} 个字段，应为 {width} 个。{also_zh}",
        ),
        Text(
            "A cell that holds the delimiter or a line break must stand in quotes.",
            "含有分隔符或换行的单元格需要用引号括起来。",
        ),
        file=name,
        row=starts[first].line,
        found=field_count,
        expected=width,
    )
