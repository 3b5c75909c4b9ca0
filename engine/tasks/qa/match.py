"""How well an answer matches its references: exact match and F1 as the official evaluations define them.

English and other languages with blanks by SQuAD's definition (Rajpurkar et al. 2016, 2018): lower case, no ASCII punctuation, no
articles, words as bags. Chinese by that of CMRC 2018 (Cui et al. 2019): characters and Latin words in order, F1 from the longest
run that both share. The best of several references counts. Knows texts alone.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from engine.core.scripts import script_of

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
# CMRC's own list. Its ellipsis has two characters, so that a single one stays, there as here.
_CMRC_PUNCTUATION = frozenset("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
_HAN = re.compile("[\u4e00-\u9fa5]")


def is_chinese(context: str, question: str = "") -> bool:
    """Whether a row is scored by CMRC's definition: most letters of its question, else of its context, are Han."""
    return script_of(question if script_of(question) != "none" else context) == "han"


def match(answer: str, references: Sequence[str], chinese: bool) -> tuple[float, float]:
    """(exact match, F1), each between 0 and 1, of an answer against the references; none of either means "no answer".

    Where there are no references, only an empty answer is right; a reference of which nothing is left once normalised counts
    as none (SQuAD 2.0).
    """
    normal, f1 = (remove_punctuation, cmrc_f1) if chinese else (normalize, squad_f1)
    readable = [reference for reference in references if normal(reference)]
    if not readable:
        right = float(not normal(answer))
        return right, right
    given = normal(answer)
    return float(any(given == normal(one) for one in readable)), max(f1(answer, one) for one in readable)


def normalize(text: str) -> str:
    """SQuAD's normal form: lower case, without ASCII punctuation and English articles, single blanks."""
    bare = text.lower().translate(_ASCII_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def squad_f1(answer: str, reference: str) -> float:
    """F1 of the words of the normal forms, as bags; where either is empty, 1 if both are."""
    given, expected = normalize(answer).split(), normalize(reference).split()
    if not given or not expected:
        return float(given == expected)
    return _f1(sum((Counter(given) & Counter(expected)).values()), len(given), len(expected))


def remove_punctuation(text: str) -> str:
    """CMRC's normal form: lower case, trimmed, without its punctuation."""
    return "".join(character for character in text.lower().strip() if character not in _CMRC_PUNCTUATION)


def cmrc_f1(answer: str, reference: str) -> float:
    """F1 of the longest common run of the mixed segmentations; where either is empty, 1 if both are."""
    given, expected = mixed_segmentation(answer), mixed_segmentation(reference)
    if not given or not expected:
        return float(given == expected)
    return _f1(longest_common_run(given, expected), len(given), len(expected))


def mixed_segmentation(text: str) -> list[str]:
    """Each Han character by itself, and what stands between them as English words and signs; CMRC's punctuation left out."""
    pieces: list[str] = []
    latin = ""
    for character in text.lower().strip():
        if character in _CMRC_PUNCTUATION:
            continue
        if _HAN.match(character):
            pieces += _latin_words(latin)
            latin = ""
            pieces.append(character)
        else:
            latin += character
    return pieces + _latin_words(latin)


def longest_common_run(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest stretch of pieces that stands, uninterrupted, in both."""
    longest = 0
    above = [0] * (len(second) + 1)
    for one in first:
        row = [0] * (len(second) + 1)
        for place, other in enumerate(second, start=1):
            if one == other:
                row[place] = above[place - 1] + 1
                longest = max(longest, row[place])
        above = row
    return longest


def reference_texts(target: Sequence[dict[str, Any]]) -> list[str]:
    """The references of an example of question answering."""
    return [answer["text"] for answer in target]


def _f1(common: int, given: int, expected: int) -> float:
    if not common:
        return 0.0
    precision, recall = common / given, common / expected
    return 2 * precision * recall / (precision + recall)


def _latin_words(text: str) -> list[str]:
    if not text.strip():
        return []
    return _treebank()(text)


@cache
def _treebank() -> Any:
    # CMRC's script cuts with NLTK's word tokenizer. Its word rules need no data files; loading it takes a second.
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer().tokenize
