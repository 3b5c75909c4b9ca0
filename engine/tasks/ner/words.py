"""The words of a text as character offsets: the units that get one tag each.

A word is a run of letters and digits, one character of a script that is written without spaces, or one other character (a
whole grapheme: an emoji with its joiners is one). Letters and digits are not separated: pretrained models have seen "2nd" and
"covid19" whole. Blanks belong to no word. Where a row was given as tokens, words are split at the tokens' edges as well. Does not
know tokenizers or tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import regex

from engine.core.scripts import UNSPACED

# Marks and format characters (joiners, soft hyphens) belong to what they follow.
_REST = r"[\p{M}\p{Cf}]*"
_WORD = regex.compile(
    rf"[{UNSPACED}]{_REST}|[[\p{{L}}\p{{N}}]--[{UNSPACED}]][[\p{{L}}\p{{N}}\p{{M}}\p{{Cf}}]--[{UNSPACED}]]*|(?!\s)\X",
    regex.VERSION1,
)
_UNSPACED = regex.compile(rf"[{UNSPACED}]")

# Levels of an edge: a piece of a word begins there, a word, or a token that the row was given with.
PIECE, WORD, TOKEN = 0, 1, 2


def split_words(text: str, tokens: Sequence[Sequence[int]] | None = None) -> tuple[list[tuple[int, int]], list[int]]:
    """The words of a text as [start, end) in characters, and for each whether it begins a TOKEN or only a WORD.

    `tokens` are the offsets of the tokens that the row was given with, in order.
    """
    words: list[tuple[int, int]] = []
    levels: list[int] = []
    for start, end in [(0, len(text))] if tokens is None else tokens:
        level = WORD if tokens is None else TOKEN
        for match in _WORD.finditer(text, start, end):
            words.append(match.span())
            levels.append(level)
            level = WORD
    return words, levels


def is_unspaced(character: str) -> bool:
    """Whether a character is of a script written without spaces between words."""
    return _UNSPACED.match(character) is not None


def cuts_word(text: str, spans: Iterable[dict[str, int]]) -> int:
    """How many spans begin or end inside a word."""
    spans = list(spans)
    if not spans:
        return 0
    inner = {at for start, end in split_words(text)[0] for at in range(start + 1, end)}
    return sum(span["start"] in inner or span["end"] in inner for span in spans)
