"""Whether an offset lies inside a word. Knows scripts with spaces between words; does not segment the others."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]")


def inside_word(text: str, at: int) -> bool:
    """Whether an offset splits a word: letters or digits of a script with word spaces on both sides."""
    return 0 < at < len(text) and _in_word(text[at - 1]) and _in_word(text[at])


def _in_word(character: str) -> bool:
    # Han, kana, Hangul with its particles, and Thai are written without spaces between words.
    return _WORD.match(character) is not None and not ("\u0e00" <= character <= "\u0e7f" or character >= "\u2e80")
