"""Statistics of the cells of a column: length, variety, and shares of text, numbers, dates, identifiers, lists.

Knows a sample of the cells. Does not know names of columns or roles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from engine.data.cells import as_label, as_list, as_value
from engine.data.table import Table

_SAMPLE = 2000
_NUMBER = re.compile(r"[+-]?[.,]?\d[\d.,]*([eE][+-]?\d+)?\s*%?")
_DATE = re.compile(
    r"\d{4}[-/.年]\d{1,2}([-/.月]\d{1,2}日?)?([T ]\s*\d{1,2}[:时]\d{2}.*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}( .*)?|\d{1,2}:\d{2}(:\d{2})?"
    r"|(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d{4}.*|\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{4}.*"
)
_IDENTIFIER = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}|(?a:(?=\D*\d)[\w.-]+)|\S+@\S+\.\S+"
)
_ADDRESS = re.compile(r"(https?://|www\.)\S+")
_QUESTION_WORDS = (
    "what", "who", "when", "where", "which", "why", "how", "is", "are", "was", "were", "did", "does", "do", "can", "in what"
)  # fmt: skip
_TAG = re.compile(r"O|[BIESLUMW][-_]\S+|\S+[-_][BIESLUM]")


@dataclass(frozen=True, slots=True)
class Profile:
    """Shares are of the cells that are not missing, between 0 and 1."""

    rows: int  # cells looked at, missing ones too
    filled: float  # share of cells that are not missing
    text: float  # strings that are no number, date, address or list
    number: float
    date: float
    identifier: float  # one word with digits, an address, and hardly any repeated
    lists: float  # lists, or text that encodes one
    spans: float  # lists of {start, end, label} or [start, end, label]; empty lists count
    tags: float  # lists (or blank-separated text) of BIO-like tags
    answers: float  # objects with "text", or lists of such
    question: float  # ends in a question mark or begins with a question word
    chars: float  # mean length of what is text
    distinct: int  # different cells
    repeated: float  # share of cells whose value occurs more than once

    @property
    def is_text(self) -> bool:
        """Whether a person may have written this for others to read."""
        return self.filled > 0 and self.text >= 0.6 and self.identifier < 0.6 and self.date < 0.3

    @property
    def is_label_like(self) -> bool:
        """Whether it has few distinct short values that repeat."""
        return (
            self.filled > 0
            and self.date < 0.5
            and self.identifier < 0.6
            and self.spans < 0.5
            and self.chars <= 60
            and self.repeated >= 0.6
            and self.distinct <= max(2, 0.5 * self.rows * self.filled)
        )


def profile(table: Table, column: str) -> Profile:
    """The profile of up to 2,000 cells of a column, spread evenly over the table."""
    cells: list[Any] = table.frame[column].iloc[:: max(1, len(table) // _SAMPLE)].tolist()
    filled = [cell for cell in cells if cell is not None and cell != ""]
    total = max(1, len(filled))
    values = [as_value(cell) for cell in filled]
    strings = [value.strip() for value in values if isinstance(value, str)]
    numbers = sum(isinstance(value, int | float) for value in values) + sum(map(_matches(_NUMBER), strings))
    dates = sum(map(_matches(_DATE), strings))
    addresses = sum(map(_matches(_ADDRESS), strings))
    counts: dict[str, int] = {}
    for value in values:
        key = as_label(value)
        counts[key] = counts.get(key, 0) + 1
    codes = sum(map(_matches(_IDENTIFIER), strings)) if len(counts) > 0.9 * len(filled) else 0
    plain = [s for s in strings if not (_NUMBER.fullmatch(s) or _DATE.fullmatch(s) or _ADDRESS.fullmatch(s))]
    return Profile(
        rows=len(cells),
        filled=len(filled) / max(1, len(cells)),
        text=len(plain) / total,
        number=numbers / total,
        date=dates / total,
        identifier=max(codes, addresses) / total,
        lists=sum(isinstance(value, list) for value in values) / total,
        spans=_share_of_spans(values),
        tags=sum(map(_is_tags, values)) / total,
        answers=sum(map(_is_answers, values)) / total,
        question=sum(s.endswith(("?", "？")) or s.lower().startswith(_QUESTION_WORDS) for s in plain) / total,
        chars=sum(map(len, plain)) / max(1, len(plain)),
        distinct=len(counts),
        repeated=sum(count for count in counts.values() if count > 1) / total,
    )


def _matches(pattern: re.Pattern[str]) -> Any:
    return lambda text: len(text) < 200 and pattern.fullmatch(text) is not None


def _share_of_spans(values: list[Any]) -> float:
    lists = [value for value in values if isinstance(value, list)]
    if not any(lists):
        return 0.0
    return sum(all(is_span(item) for item in value) for value in lists) / max(1, len(values))


def is_span(item: Any) -> bool:
    """Whether an item of a list has start, end and label in one of the forms that annotation tools write."""
    if isinstance(item, dict):
        return bool({"start", "start_offset", "begin"} & item.keys()) and bool({"end", "end_offset"} & item.keys())
    return (
        isinstance(item, list | tuple)
        and len(item) >= 3
        and all(isinstance(n, int) and not isinstance(n, bool) for n in item[:2])
        and isinstance(item[2], str)
    )


def _is_tags(value: Any) -> bool:
    if isinstance(value, str):
        value = value.split()
    return (
        isinstance(value, list) and bool(value) and all(isinstance(tag, str) and _TAG.fullmatch(tag) for tag in value)
    )


def _is_answers(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) and "text" in item for item in value)
    return isinstance(value, dict) and "text" in value


def same_lengths(table: Table, first: str, second: str) -> bool:
    """Whether two columns hold lists (or blank-separated text) of equal length in nearly every row of a sample."""
    agreeing = total = 0
    for a, b in zip(table.frame[first].iloc[:200], table.frame[second].iloc[:200], strict=True):
        left, right = as_items(a), as_items(b)
        if left is not None and right is not None:
            total += 1
            agreeing += len(left) == len(right)
    return total > 0 and agreeing >= 0.95 * total


def as_items(cell: Any) -> list[Any] | None:
    """The items of a list, of text that encodes one, or the words of a text. None for a missing cell."""
    value = as_list(cell)
    if value is None and isinstance(cell, str):
        return cell.split()
    return value


def contained(table: Table, inner: str, outer: str) -> float:
    """Share of rows of a sample in which the text of `outer` contains the text of `inner` verbatim."""
    pairs = [
        (a.strip(), b)
        for a, b in zip(table.frame[inner].iloc[:300], table.frame[outer].iloc[:300], strict=True)
        if isinstance(a, str) and isinstance(b, str) and a.strip()
    ]
    return sum(a in b for a, b in pairs) / len(pairs) if pairs else 0.0
