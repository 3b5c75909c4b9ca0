"""What a summary is like, without a reference: how short, how much in words of its own, how repetitive, and what it contains that its
document does not.

Numbers and names that a document lacks are a signal, no proof: a sum may be right and a name may be spelt otherwise. Knows texts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.tasks.summarization.numbers import numbers_in, strange_numbers
from engine.tasks.summarization.rouge import Characters
from engine.tasks.summarization.sentences import sentences

NOVEL = (1, 2, 3)  # lengths of word sequences
REPEATED = 3
COLUMNS = (
    "summaries",
    "document_words",
    "words",
    "novel_1",
    "of_1",
    "novel_2",
    "of_2",
    "novel_3",
    "of_3",
    "repeated",
    "of_repeated",
    "strange_numbers",
    "strange_names",
    "strange",
    "empty",
)
_NAME = re.compile(r"[A-Z][\w’'-]*(?:\s+[A-Z][\w’'-]*)*")
# Words that begin with a capital wherever they stand, and name nothing that a document must hold.
_NO_NAMES = frozenset(["I", "I'm", "I'll", "I'd", "I've", "I’m", "I’ll", "I’d", "I’ve", "OK", "Mr", "Mrs", "Ms", "Dr"])
_split = Characters().tokenize


def statistics(documents: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """Additive statistics [texts, COLUMNS] of texts about documents."""
    return np.array([_row(document, text) for document, text in zip(documents, texts, strict=True)], dtype=np.float64)


def measures_from(sums: np.ndarray) -> dict[str, Any]:
    """What the report shows, from sums [..., COLUMNS]. Shares lie between 0 and 1; `words` is a mean, `compression` a ratio."""
    at = {name: sums[..., column] for column, name in enumerate(COLUMNS)}

    def share(part: str, whole: str) -> np.ndarray:
        return at[part] / np.maximum(at[whole], 1)

    return {
        "words": share("words", "summaries"),
        "compression": at["document_words"] / np.maximum(at["words"], 1),
        **{f"novel_{n}": share(f"novel_{n}", f"of_{n}") for n in NOVEL},
        "repetition": share("repeated", "of_repeated"),
        "strange_numbers": share("strange_numbers", "summaries"),
        "strange_names": share("strange_names", "summaries"),
        "strange": share("strange", "summaries"),
        "empty": share("empty", "summaries"),
    }


def strange_things(document: str, text: str) -> dict[str, list[str]]:
    """`numbers` and `names` of a text that its document lacks. Names are recognised by their capitals, so in Chinese only Latin ones are."""
    return {"numbers": strange_numbers(document, text), "names": strange_names(document, text)}


def strange_names(document: str, text: str) -> list[str]:
    """Capitalised words within sentences of `text` that do not occur in `document`, in any case or with an ending."""
    known = {_stem(word) for word in _split(document)}
    lacking_words: list[str] = []
    for sentence in sentences(text):
        for match in _NAME.finditer(sentence):
            words = match[0].split()
            if not sentence[: match.start()].strip("\"'“‘( "):
                words = words[1:]  # every sentence begins with a capital
            words = [word for word in words if word not in _NO_NAMES and not numbers_in(word)]
            lacking = [word for word in words if not all(_stem(part) in known for part in _split(word))]
            lacking_words += [word for word in lacking if word not in lacking_words]
    return lacking_words


def _stem(word: str) -> str:
    """A word without the endings that names take."""
    word = word.lower()
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def _row(document: str, text: str) -> list[float]:
    read, words = _split(document), _split(text)
    row: list[float] = [1, len(read), len(words)]
    for n in NOVEL:
        known = set(_runs(read, n))
        runs = _runs(words, n)
        row += [sum(run not in known for run in runs), len(runs)]
    runs = _runs(words, REPEATED)
    strange = strange_things(document, text)
    row += [len(runs) - len(set(runs)), len(runs)]
    row += [bool(strange["numbers"]), bool(strange["names"]), bool(strange["numbers"] or strange["names"]), not words]
    return row


def _runs(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]
