"""Parquet files: columns with types, class names where the hub's metadata holds them.

Knows Arrow types and turns every cell into plain Python. Refuses cells that have no form as text; nothing is ever unpickled. Does
not know roles.
"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pyarrow
import pyarrow.parquet
import pyarrow.types

from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.data.assemble import make_table, too_many_rows
from engine.data.hub_features import class_names, plain_cell, with_class_names
from engine.data.limits import Limits
from engine.data.table import Source, Table


def read_parquet(data: bytes, source: Source, limits: Limits) -> Table:
    """Read a Parquet file. The place of a row is its 1-based number.

    Raises FileProblem for a damaged file, for one whose columns unpack to more than the limits allow, and for binary columns.
    """
    name = source.name
    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
        metadata = file.metadata
        if metadata.num_rows > limits.max_rows:
            raise too_many_rows(name, limits)
        unpacked = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        if unpacked > limits.max_unpacked_bytes:
            raise FileProblem(
                "unpacks_too_large",
                Text(
                    f"{name} unpacks to {unpacked / 2**20:,.0f} MB; at most {limits.max_unpacked_bytes / 2**20:,.0f} MB are read.",
                    f"{name} 解压后有 {unpacked / 2**20:,.0f} MB，最多读取 {limits.max_unpacked_bytes / 2**20:,.0f} MB。",
                ),
                Text("Take a sample of the rows.", "请抽取部分数据。"),
                file=name,
            )
        arrow = file.read()
        columns = [_column(arrow.column(i), field, name) for i, field in enumerate(arrow.schema)]
    except (pyarrow.ArrowException, OSError, ValueError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileProblem(
            "damaged_parquet",
            Text(f"{name} is a damaged Parquet file: {reason}", f"{name} 是损坏的 Parquet 文件：{reason}"),
            Text("Export it again.", "请重新导出。"),
            file=name,
        ) from error
    names = arrow.schema.names
    features = _features(arrow.schema)
    notes = []
    for i, column in enumerate(names):
        classes = class_names(features.get(column))
        if classes:
            columns[i] = [with_class_names(cell, classes) for cell in columns[i]]
            notes.append(
                Text(
                    f"The numbers in {column!r} were replaced by their {len(classes)} class names.",
                    f"{column!r} 列中的数字已替换为对应的 {len(classes)} 个类别名称。",
                )
            )
    # pandas stores its row index as a column of this name; it is not part of the data.
    selected = [i for i, column in enumerate(names) if not column.startswith("__index_level_")]
    return make_table(
        [names[i] for i in selected],
        [columns[i] for i in selected],
        list(range(1, arrow.num_rows + 1)),
        replace(source, format="parquet"),
        limits,
        notes,
    )


def _column(column: pyarrow.ChunkedArray, field: pyarrow.Field, name: str) -> list[Any]:
    kind = field.type
    if isinstance(kind, pyarrow.BaseExtensionType):
        kind = kind.storage_type
        column = pyarrow.chunked_array([chunk.storage for chunk in column.chunks], type=kind)
    if pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind) or pyarrow.types.is_fixed_size_binary(kind):
        return [_text(cell, i, field.name, name) for i, cell in enumerate(column.to_pylist(), start=1)]
    cells = column.to_pylist()
    if pyarrow.types.is_string(kind) or pyarrow.types.is_integer(kind):
        return cells
    return [plain_cell(cell) for cell in cells]


def _text(cell: bytes | None, row: int, column: str, name: str) -> str | None:
    """Some writers store text as bytes. Anything else, pickled objects among it, is refused."""
    if cell is None:
        return None
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileProblem(
            "binary_column",
            Text(
                f"{name}, row {row}, column {column!r} holds bytes that are no text; objects and images are not read.",
                f"{name} 第 {row} 行 {column!r} 列是非文本的字节；不读取对象或图片。",
            ),
            Text("Leave that column out.", "请去掉该列。"),
            file=name,
            row=row,
            column=column,
        ) from error


def _features(schema: pyarrow.Schema) -> dict[str, Any]:
    """The column descriptions that the datasets library writes, by column; nothing where there are none."""
    raw = (schema.metadata or {}).get(b"huggingface")
    if not raw:
        return {}
    try:
        described = json.loads(raw)
    except ValueError:
        return {}
    features = described.get("info", {}).get("features", {}) if isinstance(described, dict) else {}
    return features if isinstance(features, dict) else {}
