"""The normal form of a text: texts with the same normal form count as the same.

Knows width, case, blanks and invisible characters. Punctuation stays: "ok?" and "ok!" may well have different labels.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable
from typing import Any

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def normal_form(text: str) -> str:
    """NFKC, lower case, blanks as one space, no invisible characters (Unicode Standard Annex 15 for NFKC)."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold().split())


def normal_key(value: Any) -> Hashable:
    """A hashable form of any JSON value, texts in normal form: equal for values that count as the same."""
    if isinstance(value, str):
        return normal_form(value)
    if isinstance(value, dict):
        return tuple(sorted((key, normal_key(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return tuple(normal_key(item) for item in value)
    return value
