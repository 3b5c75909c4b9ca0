"""The normal form of a text: what two texts must share to count as the same.

Knows width, case, blanks and invisible characters. Punctuation stays: "ok?" and "ok!" may well have different labels.
"""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def normal_form(text: str) -> str:
    """NFKC, lower case, blanks as one space, no invisible characters (Unicode Standard Annex 15 for NFKC)."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold().split())
