"""ROUGE (Lin 2004): how many words and word sequences a summary shares with its references.

English as the rouge-score package counts it, with its stemmer; Chinese, which has no blanks, by characters. With several references
the one that fits best counts, measure by measure, as in that package. Knows texts; does not know models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.tasks.summarization.sentences import sentences

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer

METRICS = ("rouge1", "rouge2", "rougeL", "rougeLsum")
_CHARACTERS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CHINESE = re.compile(f"[{_CHARACTERS}]")
_TOKENS = re.compile(rf"[{_CHARACTERS}]|[^\W_{_CHARACTERS}]+")


def is_chinese(texts: Sequence[str]) -> bool:
    """Whether texts are counted by characters: where a fifth of their letters are Chinese."""
    joined = "".join(texts)
    letters = sum(map(str.isalpha, joined))
    return bool(letters) and len(_CHINESE.findall(joined)) >= 0.2 * letters


class Characters:
    """A tokenizer for rouge-score: each Chinese character, and each word or number of other scripts in lower case."""

    def tokenize(self, text: str) -> list[str]:
        return [token.lower() for token in _TOKENS.findall(text)]


def scores(references: Sequence[str], text: str) -> dict[str, float]:
    """The F-measure of each ROUGE for one text against its references."""
    lines = ["\n".join(sentences(one)) for one in (*references, text)]  # ROUGE-Lsum goes sentence by sentence
    scores = _scorer(is_chinese(references)).score_multi(lines[:-1], lines[-1])
    return {name: scores[name].fmeasure for name in METRICS}


def statistics(references: Sequence[Sequence[str]], texts: Sequence[str]) -> np.ndarray:
    """Additive statistics [texts, 5]: one, and the F-measure of each ROUGE."""
    rows = [[1.0, *scores(some, text).values()] for some, text in zip(references, texts, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(-1, 1 + len(METRICS))


def metrics_from(sums: np.ndarray) -> dict[str, Any]:
    """The mean of each ROUGE from sums [..., 5]."""
    count = np.maximum(sums[..., 0], 1)
    return {name: sums[..., column] / count for column, name in enumerate(METRICS, start=1)}


@cache
def _scorer(chinese: bool) -> RougeScorer:
    from rouge_score.rouge_scorer import RougeScorer

    if chinese:
        return RougeScorer(list(METRICS), tokenizer=Characters())
    return RougeScorer(list(METRICS), use_stemmer=True)
