"""One cell as a text, as a label or as a list.

Knows labels that spreadsheets and pandas turned into numbers, and lists that were written into CSV cells as text.
Does not know tasks.
"""

from __future__ import annotations

import ast
import json
from typing import Any

_MAX_LIST_CHARS = 500_000  # characters of a list written as text


def as_text(cell: Any) -> str:
    """A cell as the model reads it. A list of strings (turns, paragraphs) is joined by line breaks; a missing cell is empty."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, list):
        return "\n".join(as_text(item) for item in cell)
    if isinstance(cell, dict):
        return json.dumps(cell, ensure_ascii=False)
    return as_label(cell)


def as_label(cell: Any) -> str:
    """A cell as a class name: no blanks around it, 1 and 1.0 alike "1", true and false in lower case, missing empty."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, list | dict):
        return json.dumps(cell, ensure_ascii=False)
    return str(cell).strip()


def as_list(cell: Any) -> list[Any] | None:
    """The list in a cell, or the one that its text encodes as JSON or as a Python literal. None for everything else."""
    value = as_value(cell)
    return value if isinstance(value, list) else None


def as_value(cell: Any) -> Any:
    """The list or object that the text of a cell encodes (JSON or a Python literal); any other cell unchanged."""
    if not isinstance(cell, str) or len(cell) > _MAX_LIST_CHARS:
        return cell
    text = cell.strip()
    if (text[:1], text[-1:]) not in (("[", "]"), ("{", "}")):
        return cell
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        # The round trip leaves JSON types only: no tuples, sets or bytes.
        return json.loads(json.dumps(ast.literal_eval(text)))
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return cell
