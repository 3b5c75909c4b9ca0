"""Typed columns of Parquet files and hub data sets: plain Python cells, and class names in place of their numbers.

Knows the column descriptions that the datasets library writes. Does not know files.
"""

from __future__ import annotations

import base64
import datetime
import decimal
from typing import Any


def plain_cell(cell: Any) -> Any:
    """A cell as str, int, float, bool, list or dict."""
    if isinstance(cell, list):
        return [plain_cell(item) for item in cell]
    if isinstance(cell, dict):
        return {str(key): plain_cell(item) for key, item in cell.items()}
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, decimal.Decimal):
        return float(cell)
    if isinstance(cell, bytes):
        return base64.b64encode(cell).decode("ascii")
    if cell is None or isinstance(cell, str | bool | int | float):
        return cell
    return str(cell)


def class_names(feature: Any) -> list[str]:
    """Names of a ClassLabel feature, or of a list of them."""
    if isinstance(feature, list) and feature:
        return class_names(feature[0])
    if not isinstance(feature, dict):
        return []
    if feature.get("_type") == "ClassLabel" and isinstance(feature.get("names"), list):
        return [str(name) for name in feature["names"]]
    return class_names(feature.get("feature"))


def with_class_names(cell: Any, classes: list[str]) -> Any:
    """Numbers as class names; -1 is how the datasets library writes a missing label."""
    if isinstance(cell, list):
        return [with_class_names(item, classes) for item in cell]
    if isinstance(cell, int):
        return classes[cell] if 0 <= cell < len(classes) else None
    return cell
