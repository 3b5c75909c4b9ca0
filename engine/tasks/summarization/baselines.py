"""Summaries that take no model: the beginning of the document, and its most central sentences at the usual length.

Knows documents and how long training summaries are. Does not know references of the test rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from engine.core.text import Text
from engine.tasks.summarization.rouge import Characters
from engine.tasks.summarization.sentences import sentences

_split = Characters().tokenize

LEAD_1 = (
    Text("First sentence", "首句"),
    Text("The document's first sentence.", "直接取文档的第一句。"),
)
LEAD_3 = (
    Text("First three sentences", "前三句"),
    Text("The document's first three sentences: hard to beat on news.", "直接取文档的前三句，在新闻类文本上很难超越。"),
)
EXTRACT = (
    Text("Central sentences", "核心句抽取"),
    Text(
        "The sentences most like the whole document (TF-IDF), in their order, as many as make up the length of a training summary.",
        "按 TF-IDF 选出与全文最相近的句子，保持原有顺序，总长度与训练摘要相当。",
    ),
)
UNTUNED = (
    Text("Untuned model", "未微调的模型"),
    Text(
        "The same pretrained model with the same prompt, before any training.",
        "同一个预训练模型，未经训练，提示词相同。",
    ),
)
LEAD_1_PHRASE = Text("the document's first sentence", "文档的第一句")
LEAD_3_PHRASE = Text("the document's first three sentences", "文档的前三句")
EXTRACT_PHRASE = Text("its most central sentences", "从原文抽取的核心句")
UNTUNED_PHRASE = Text("the untuned model", "未微调的模型")


def lead(document: str, count: int) -> str:
    return _joined(sentences(document)[:count])


def usual_length(references: Sequence[Sequence[str]]) -> float:
    """Words (Chinese: characters) of a typical training summary."""
    return float(np.mean([len(_split(some[0])) for some in references]))


def extract(document: str, words: float) -> str:
    """The most central sentences that together come nearest to `words`."""
    lines = [line for line in sentences(document) if _split(line)]
    if len(lines) < 2:
        return _joined(lines)
    vectors = TfidfVectorizer(tokenizer=_split, lowercase=False, token_pattern=None).fit_transform(lines)
    whole = np.asarray(vectors.sum(axis=0)).ravel()
    likeness = vectors @ whole / (np.linalg.norm(whole) or 1.0)
    chosen: list[int] = []
    length = 0
    for index in np.argsort(-likeness, kind="stable"):
        more = len(_split(lines[index]))
        # One more sentence only where that comes nearer to the target length.
        if chosen and abs(length + more - words) >= abs(length - words):
            break
        chosen.append(int(index))
        length += more
    return _joined([lines[index] for index in sorted(chosen)])


def _joined(lines: Sequence[str]) -> str:
    return " ".join(lines)
