"""Column files of tagged tokens: one token a line, a blank line between sentences.

Knows the family of CoNLL formats: tab or spaces, the tag in the last column (or the first, as in the MIT corpora), numbered tokens
(CoNLL-U), a language before each token (WikiANN), -DOCSTART- lines, comments. A sentence becomes a row of lists. Does not know tag
schemes: that is `tags`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.data.assemble import make_table, too_many_rows
from engine.data.limits import Limits
from engine.data.table import Source, Table

SUFFIXES = (".conll", ".conllu", ".bio", ".bmes", ".bioes", ".iob", ".iob2", ".ner")
_TAG = re.compile(r"O|o|[BIESLUMW][-_]\S+|\S+[-_][BIESLUMW]")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]+)?:(?=.)")
_NUMBER = re.compile(r"[0-9]+([-.][0-9]+)?")  # of a token in CoNLL-U; 1-2 is a word of two tokens, 1.1 one left out
_SAMPLE_LINES = 2000


def looks_like_conll(text: str, suffix: str, expected: bool) -> bool:
    """Whether a text is a column file: by its name, or because nearly every line ends in a tag and blank lines separate sentences.

    Where tags are `expected`, blank lines need not, and tags may have no prefixes.
    """
    if suffix in SUFFIXES:
        return True
    lines = text[:400_000].splitlines()[:_SAMPLE_LINES]
    fields = [_fields(line, "\t" in line) for line in lines if line.strip() and not _is_skipped(line)]
    tokens = [parts for parts in fields if len(parts) >= 2]
    if len(tokens) < 2 or len(tokens) < 0.9 * len(fields):
        return False
    parted = any(not line.strip() for line in lines[:-1])
    for place in (-1, 0):
        if sum(_TAG.fullmatch(parts[place]) is not None for parts in tokens) >= 0.95 * len(tokens):
            return parted or expected
    # IO without prefixes ("PER", "O"): few different tags, some of them O, accepted only where tags are expected.
    tags = Counter(parts[-1] for parts in tokens)
    few = len(tags) <= min(50, max(2, 0.3 * len(tokens)))
    return expected and parted and few and tags["O"] > 0.1 * len(tokens)


def read_conll(text: str, source: Source, limits: Limits) -> Table:
    """Read a column file into rows of lists: `tokens`, any columns between, `tags`.

    The place of a row is the line of its first token. Raises FileProblem with the line where the number of columns changes.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    counts = Counter(
        len(_fields(line, "\t" in line)) for line in lines[:_SAMPLE_LINES] if line.strip() and not _is_skipped(line)
    )
    counts.pop(1, None)
    if not counts:
        raise FileProblem(
            "no_tags",
            Text(f"{source.name} has one column only; tokens need tags.", f"{source.name} 只有一列，词元缺少标注。"),
            Text("Write token and tag on each line, parted by a tab.", "请在每行写出词元与标注，用制表符分隔。"),
            file=source.name,
            row=1,
        )
    width = counts.most_common(1)[0][0]
    sample = [line for line in lines[:_SAMPLE_LINES] if not _is_skipped(line)]
    tabs = sum("\t" in line for line in sample) > sum(" " in line and "\t" not in line for line in sample)
    sentences: list[list[list[str]]] = []
    places: list[int] = []
    current: list[list[str]] = []

    def close() -> None:
        if current:
            sentences.append([list(column) for column in zip(*current, strict=True)])
            current.clear()
            if len(sentences) > limits.max_rows:
                raise too_many_rows(source.name, limits)

    for number, line in enumerate(lines, start=1):
        if not line.strip():
            close()
            continue
        fields = _fields(line, tabs)
        if line.startswith("-DOCSTART-"):
            close()
            continue
        if len(fields) != width:
            if line.startswith("#"):
                continue
            raise FileProblem(
                "ragged_row",
                Text(
                    f"{source.name}, line {number}: {len(fields)} columns found, {width} expected.",
                    f"{source.name} 第 {number} 行：有 {len(fields)} 列，应为 {width} 列。",
                ),
                Text("Write a token and its tag on every line.", "每行都应有词元及其标注。"),
                file=source.name,
                row=number,
                found=len(fields),
                expected=width,
            )
        if not current:
            places.append(number)
        current.append(fields)
    close()
    columns: list[list[Any]] = [[sentence[i] for sentence in sentences] for i in range(width)]
    names, notes = _names(columns)
    if _has_languages(columns[names.index("tokens")]):
        place = names.index("tokens")
        columns[place] = [[_LANGUAGE.sub("", token) for token in sentence] for sentence in columns[place]]
        notes.append(Text("The language before each token was left out.", "已去掉每个词元前的语言标记。"))
    source = replace(source, format="conll", delimiter="\t" if tabs else " ")
    return make_table(names, columns, places, source, limits, notes)


def _names(columns: list[list[list[str]]]) -> tuple[list[str], list[Text]]:
    """What each column is: tokens first and tags last, unless the first holds the tags, or numbers the tokens."""
    width = len(columns)
    between = [f"column {i}" for i in range(2, width)]
    first = [item for sentence in columns[0][:_SAMPLE_LINES] for item in sentence]
    last = [item for sentence in columns[-1][:_SAMPLE_LINES] for item in sentence]
    if width == 2 and all(map(_TAG.fullmatch, first)) and not all(map(_TAG.fullmatch, last)):
        note = Text("The tags stand before the tokens in this file.", "该文件中标注在词元之前。")
        return ["tags", "tokens"], [note]
    if width > 2 and all(map(_NUMBER.fullmatch, first)):
        return ["number", "tokens", *between[1:], "tags"], []
    return ["tokens", *between, "tags"], []


def _has_languages(tokens: list[list[str]]) -> bool:
    marks = {(match[0] if (match := _LANGUAGE.match(token)) else "") for sentence in tokens for token in sentence}
    return len(marks) == 1 and "" not in marks


def _is_skipped(line: str) -> bool:
    return line.startswith(("-DOCSTART-", "# "))


def _fields(line: str, tabs: bool) -> list[str]:
    """The columns of a line. A token may be a blank of its own, so only tabs, or runs of spaces, separate columns."""
    if tabs and "\t" in line:
        return line.rstrip("\n").split("\t")
    parts = re.split(r" +", line.strip(" \t"))
    if len(parts) == 1 and line.startswith(" "):
        return [" ", parts[0]]
    return parts
