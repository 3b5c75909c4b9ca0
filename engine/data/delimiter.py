"""Which character separates the columns of a text table, and whether its first line names them.

Works on a sample of the text. Does not parse the file: that is `delimited`.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter

from engine.data.column_names import known_names, plain_name

CANDIDATES = ("\t", ",", ";", "|")
_SAMPLE_CHARS = 256 * 1024
_SAMPLE_ROWS = 500
_MOST_TITLES = 6

# The csv module refuses fields over 131,072 characters by default, and its limit is global to the process.
# Cells are measured against Limits.max_cell_chars after parsing.
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


def sniff_delimiter(text: str, suffix: str = "") -> str:
    """The delimiter of a text table, or "" for a table of one column. `suffix` (".tsv") decides where the content cannot."""
    sample = text[:_SAMPLE_CHARS]
    whole = len(text) <= _SAMPLE_CHARS
    scores: list[tuple[float, int, int, int, str]] = []
    for place, delimiter in enumerate(CANDIDATES):
        rows = _rows(sample, delimiter, whole)
        if not rows:
            continue
        agreement = Counter(map(len, rows)).most_common(1)[0][1] / len(rows)
        first = skip_titles(rows)
        head = rows[first]
        if len(head) == 1:
            continue
        # Ragged rows are refused later with their line; here a delimiter that splits the header well counts more.
        body = rows[first:]
        agreement = max(agreement, sum(len(row) == len(head) for row in body) / len(body))
        names = sum(plain_name(cell) in known_names() for cell in head)
        preferred = int(suffix == ".tsv" and delimiter == "\t")
        scores.append((round(agreement, 2), names, preferred, -place, delimiter))
    if not scores:
        return ""
    best = max(scores, key=lambda score: (score[1] >= 2, *score[:4]))
    header_parts = best[1] >= 1 or best[0] >= 0.6 or best[2]
    return best[4] if header_parts else ""


def _rows(sample: str, delimiter: str, whole: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
        if row:
            rows.append(row)
        if len(rows) > _SAMPLE_ROWS:
            break
    else:
        if not whole and len(rows) > 1:
            rows.pop()  # the sample may end inside its last row
    return rows


def skip_titles(rows: list[list[str]]) -> int:
    """Number of title lines above the table: one cell each, none a known column name, before wider rows of equal width."""
    widths = [sum(bool(cell.strip()) for cell in row) for row in rows[:_MOST_TITLES]]
    titles = next((i for i, width in enumerate(widths) if width > 1), 0)
    if not titles or any(plain_name(row[0]) in known_names() for row in rows[:titles]):
        return 0
    below = [len(row) for row in rows[titles:_SAMPLE_ROWS]]
    alike = below.count(below[0]) / len(below)
    return titles if len(below) >= 2 and alike >= 0.95 else 0


_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|\.\d+)([eE][+-]?\d+)?%?")


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first of `rows` names the columns. Most tables have a header, so undecided cases are True."""
    head, body = [cell.strip() for cell in rows[0]], rows[1 : _SAMPLE_ROWS + 1]
    if any(plain_name(cell) in known_names() for cell in head) or not body:
        return True
    cells = [(c, [row[i].strip() for row in body if i < len(row) and row[i].strip()]) for i, c in enumerate(head)]
    columns = [(cell, below, sorted(map(len, below))[len(below) // 2]) for cell, below in cells if cell and below]
    if any(len(cell) > max(20, 5 * usual) for cell, _, usual in columns):
        return True  # a survey's question above its short answers
    for cell, below, usual in columns:
        if _NUMBER.fullmatch(cell) and sum(bool(_NUMBER.fullmatch(value)) for value in below) > 0.8 * len(below):
            return False
        if below.count(cell) >= 2 and len(set(below)) <= 0.5 * len(below):
            return False  # a class value that occurs in the rows below as well
        if _is_sentence(cell, usual):
            return False
    return True


def _is_sentence(cell: str, usual: int) -> bool:
    """Whether a cell is a text like those below it, of `usual` length, rather than their name."""
    if len(cell) > 60:
        return True
    sentence = len(cell.split()) >= 5 or (len(cell) > 20 and cell[-1] in ".!?。！？")
    return sentence and 0.3 * usual <= len(cell) <= 3 * usual
