"""Where sentences end, in English and Chinese.

Knows full stops, the abbreviations that look like them, and lines. Does not parse.
"""

from __future__ import annotations

import re

_ABBREVIATIONS = {
    "mr",
    "mrs",
    "ms",
    "dr",
    "prof",
    "st",
    "jr",
    "vs",
    "e.g",
    "i.e",
    "approx",
    "dept",
    "fig",
    "vol",
    "a.m",
    "p.m",
    "u.s",
}
_END = re.compile(r"[。！？!?…]+[”’」』\"')\]]*|\.+[”’\"')\]]*(?=\s|$)|\n+")


def sentences(text: str) -> list[str]:
    """The sentences of a text, stripped, in order; lines end them too. A text without an end is one sentence."""
    parts, start = [], 0
    for match in _END.finditer(text):
        before = text[start : match.start()].rsplit(None, 1)
        last = before[-1].lower().lstrip("(\"'") if before else ""
        initial = len(last) == 1 and last.isalpha() and last != "i"
        if match[0].startswith(".") and (last in _ABBREVIATIONS or initial) and match.end() < len(text):
            continue
        parts.append(text[start : match.end()].strip())
        start = match.end()
    parts.append(text[start:].strip())
    return [sentence for sentence in parts if sentence]
