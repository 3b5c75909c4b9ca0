"""JSON and JSON Lines: records of any common shape into a table.

Knows how JSON files hold tables (a list of records, a record per line, columns, rows, one list under some key), and gives the
line and column of what is no JSON. The shapes of annotation tools and of SQuAD are recognised here and read in `annotations`.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.data.annotations import (
    is_doccano,
    is_label_studio,
    is_paragraphs,
    is_squad,
    label_studio_records,
    paragraph_records,
    squad_records,
)
from engine.data.assemble import make_table, no_rows, too_many_rows
from engine.data.limits import Limits
from engine.data.table import Source, Table

SPLIT_NAMES = ("train", "validation", "valid", "dev", "test")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_DEPTH = 4  # of nested objects that become columns of their own
# Objects under these names are one value (an answer, a list of entities), not columns.
_KEPT_WHOLE = frozenset(("answers", "answer", "entities", "spans", "labels", "label", "annotations", "答案", "实体"))


def looks_like_json(text: str) -> bool:
    """Whether text of an unknown format begins like JSON records."""
    head = text[:100_000].lstrip()
    if head[:1] == "{":
        return re.match(r'\{\s*("|\})', head) is not None
    return re.match(r"\[\s*[\[{\"\]]", head) is not None


def read_json(text: str, source: Source, limits: Limits) -> dict[str, Table]:
    """Tables in a JSON or JSON Lines text: usually one under "", several where the top level names splits.

    Raises FileProblem with line and column for what is no JSON, and for JSON that holds no records.
    """
    if _is_lines(text, source.name):
        records, lines = _read_lines(text, source.name, limits)
        return {"": _table(records, lines, replace(source, format="jsonl"), limits)}
    value = _parse(text, source.name, 1)
    if isinstance(value, dict) and len(value) > 1 and all(_is_records(value.get(key)) for key in value):
        splits = {key: rows for key, rows in value.items() if key.lower() in SPLIT_NAMES}
        if "train" in {key.lower() for key in splits} and len(splits) == len(value):
            return {
                key.lower(): _table(rows, list(range(1, len(rows) + 1)), replace(source, format="json"), limits)
                for key, rows in splits.items()
            }
    source, records, lines = _records(value, replace(source, format="json"), limits)
    return {"": _table(records, lines, source, limits)}


def _is_lines(text: str, name: str) -> bool:
    """JSON Lines: more than one line (unless the name says so), and the first that is not blank is a whole value."""
    stripped = text.lstrip()
    first, _, rest = stripped.partition("\n")
    if not rest.strip():
        return name.lower().endswith((".jsonl", ".ndjson"))
    try:
        json.loads(first, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        # A broken first line of JSON Lines is still JSON Lines when the next line is a whole record.
        second = rest.lstrip().partition("\n")[0]
        return first[:1] == "{" and second[:1] == "{" and second.rstrip()[-1:] == "}"
    return True


def _read_lines(text: str, name: str, limits: Limits) -> tuple[list[Any], list[int]]:
    records: list[Any] = []
    lines: list[int] = []
    # Not splitlines(): JSON strings may hold U+2028 and other characters that it takes for line ends.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            records.append(_parse(line, name, number))
            lines.append(number)
            if len(records) > limits.max_rows:
                raise too_many_rows(name, limits)
    return records, lines


def _no_constant(constant: str) -> None:
    """NaN and Infinity, which Python's json writes although JSON has neither, are missing values."""


_REASONS = (
    ("Expecting value", "此处缺少值"),
    ("Expecting ',' delimiter", "此处缺少逗号"),
    ("Expecting ':' delimiter", "此处缺少冒号"),
    ("Expecting property name", "属性名应放在双引号内"),
    ("Unterminated string", "字符串没有闭合"),
    ("Invalid control character", "字符串中有换行等控制字符"),
    ("Invalid \\", "转义写法无效"),
    ("Illegal trailing comma", "末尾多了一个逗号"),
    ("Extra data", "此处有多余的内容"),
)


def _in_chinese(reason: str) -> str:
    """The message of Python's json module in Chinese; a message without a translation is returned unchanged."""
    return next((chinese for english, chinese in _REASONS if reason.startswith(english)), reason)


def _parse(text: str, name: str, first_line: int) -> Any:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise FileProblem(
            "bad_json",
            Text(
                f"{name} is no valid JSON at line {line}, column {error.colno}: {error.msg}.",
                f"{name} 第 {line} 行第 {error.colno} 列不是合法的 JSON：{_in_chinese(error.msg)}。",
            ),
            Text("Correct that place, or export the file again.", "请改正该处，或重新导出文件。"),
            file=name,
            row=line,
            column=error.colno,
        ) from error
    except (RecursionError, ValueError) as error:
        raise FileProblem(
            "bad_json",
            Text(
                f"{name}, line {first_line}: JSON that is nested too deeply, or a number with too many digits.",
                f"{name} 第 {first_line} 行：JSON 嵌套过深，或数字位数过多。",
            ),
            file=name,
            row=first_line,
        ) from error
    if "\\ud" in text or "\\uD" in text:
        value = _without_surrogates(value)
    return value


def _without_surrogates(value: Any) -> Any:
    """Half a surrogate pair is no character: nothing could encode it, so it is replaced."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _records(value: Any, source: Source, limits: Limits) -> tuple[Source, list[Any], list[int]]:
    """The list of records in a parsed JSON file, and their 1-based numbers."""
    if is_squad(value):
        records = squad_records(value, source.name)
        return replace(source, format="squad"), records, list(range(1, len(records) + 1))
    if is_paragraphs(value):
        records = paragraph_records(value, source.name)
        return replace(source, format="squad"), records, list(range(1, len(records) + 1))
    if isinstance(value, dict):
        lists = {key: item for key, item in value.items() if isinstance(item, list)}
        records_under = [key for key in lists if _is_records(lists[key])]
        if len(records_under) == 1:
            value = lists[records_under[0]]
        elif lists and len(lists) == len(value) and len({len(item) for item in lists.values()}) == 1:
            value = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
        elif value and all(isinstance(item, dict) for item in value.values()):
            value = _from_columns(value)
        elif value and not lists:
            value = [value]  # a file with one record
        else:
            raise _no_records(source.name)
    if not isinstance(value, list):
        raise _no_records(source.name)
    if not value:
        raise no_rows(source.name)
    if len(value) > limits.max_rows:
        raise too_many_rows(source.name, limits)
    return source, value, list(range(1, len(value) + 1))


def _from_columns(value: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Objects of objects: pandas writes {column: {row: cell}}; others write {id: record}."""
    inner = list(value.values())
    if all(item.keys() == inner[0].keys() for item in inner) and all(key.isdigit() for key in inner[0]):
        return [{column: cells[row] for column, cells in value.items()} for row in inner[0]]
    return [{"id": key, **item} for key, item in value.items()]


def _no_records(name: str) -> FileProblem:
    return FileProblem(
        "no_records",
        Text(
            f"{name} is JSON, but holds no list of records.",
            f"{name} 是 JSON，但其中没有记录列表。",
        ),
        Text(
            'Write a list of objects such as [{"text": "...", "label": "..."}], or one object per line.',
            '请写成对象列表，如 [{"text": "…", "label": "…"}]，或每行一个对象。',
        ),
        file=name,
        row=1,
    )


def _table(records: list[Any], lines: list[int], source: Source, limits: Limits) -> Table:
    if not records:
        raise no_rows(source.name)
    if all(is_label_studio(record) for record in records):
        source = replace(source, format="label-studio")
        records = label_studio_records(records)
    elif all(is_doccano(record) for record in records[:100]):
        source = replace(source, format="doccano")
    if all(isinstance(record, str | int | float) or record is None for record in records):
        return make_table(["text"], [list(records)], lines, source, limits)
    if all(isinstance(record, list) for record in records):
        width = max(len(record) for record in records)
        rows = [[*record, *([None] * (width - len(record)))] for record in records]
        names = [f"column {i}" for i in range(1, width + 1)]
        if len(rows) > 1 and all(isinstance(cell, str) and cell for cell in rows[0]):
            from engine.data.delimiter import has_header

            if has_header([[str(cell) if cell is not None else "" for cell in row] for row in rows]):
                names, rows, lines = rows[0], rows[1:], lines[1:]
        return make_table(names, [list(column) for column in zip(*rows, strict=True)], lines, source, limits)
    columns: dict[str, list[Any]] = {}
    for i, record in enumerate(records):
        if not isinstance(record, dict):
            raise FileProblem(
                "bad_record",
                Text(
                    f"{source.name}, line {lines[i]}: an object is expected, {_kind(record)} found.",
                    f"{source.name} 第 {lines[i]} 行：应为对象，却是 {_kind(record)}。",
                ),
                Text("Every record must have the same shape.", "每条记录的结构必须一致。"),
                file=source.name,
                row=lines[i],
            )
        for name, cell in _flat(record, "", 0):
            cells = columns.get(name)
            if cells is None:
                cells = columns[name] = []
                if len(columns) > limits.max_columns:
                    break
            if len(cells) > i:
                continue  # two keys flatten to one name; the first stays
            cells.extend([None] * (i - len(cells)))
            cells.append(cell)
    for cells in columns.values():
        cells.extend([None] * (len(records) - len(cells)))
    return make_table(list(columns), list(columns.values()), lines, source, limits)


def _flat(record: dict[str, Any], prefix: str, depth: int) -> list[tuple[str, Any]]:
    """Name and cell of every column: objects inside the record give columns with dotted names."""
    cells: list[tuple[str, Any]] = []
    for key, cell in record.items():
        name = f"{prefix}{key}"
        if isinstance(cell, dict) and cell.keys() == {"choices"} and isinstance(cell["choices"], list):
            cells.append((name, cell["choices"]))  # several choices in Label Studio's short export; one is a text alone
        elif isinstance(cell, dict) and cell and depth < _MAX_DEPTH and str(key).casefold() not in _KEPT_WHOLE:
            cells.extend(_flat(cell, f"{name}.", depth + 1))
        else:
            cells.append((name, cell))
    return cells


def _kind(value: Any) -> str:
    return {"NoneType": "null", "list": "array", "str": "string", "bool": "boolean"}.get(type(value).__name__, "number")
