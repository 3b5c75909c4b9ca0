"""Parts of the test questions: with and without an answer, by question word, by length of answer and context.

Knows questions in English and Chinese. Does not know scores.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from engine.core.text import Text
from engine.data.normalization import normal_form
from engine.evaluation.slices import LEAST_ROWS, Group, leakage_groups, length_thirds
from engine.schema import Example

# The first that matches decides. In Chinese, "when" and "where" contain "what" and "which", so those two come last.
_WORDS: tuple[tuple[Text, str], ...] = (
    (Text("why", "为什么"), r"\bwhy\b|为什么|为何|为啥|什么原因|何以"),
    (
        Text("when", "什么时候"),
        r"\bwhen\b|\b(?:what|which) (?:year|day|date|month|time|century|decade)\b|什么时候|什么时间|何时|哪年|哪一年|哪天|哪一天|哪个月|哪个年代|哪个世纪|几月|几点|几号|星期几|周几",
    ),
    (Text("where", "哪里"), r"\bwhere\b|哪里|哪儿|何处|何地|什么地方|在哪|哪个国家|哪个城市"),
    (Text("who", "谁"), r"\bwho(?:m|se|'s)?\b|谁|哪位|何人|什么人"),
    (
        Text("how many, how much", "多少、几"),
        r"\bhow (?:many|much|long|old|far|often|big|large|tall|high|deep|soon|late|early|fast)\b|多少|多久|多长|多大|多高|多远|多快|多重|几",
    ),
    (Text("how", "怎么"), r"\bhow\b|怎么|如何|怎样|咋"),
    (Text("which", "哪个"), r"\bwhich\b|哪"),
    (Text("what", "什么"), r"\bwhat(?:'s)?\b|什么|何|啥"),
)
OTHER = Text("other questions", "其他问法")
_PATTERNS = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _WORDS]


def question_word(question: str) -> Text:
    """What a question asks with, or OTHER."""
    return next((name for name, pattern in _PATTERNS if pattern.search(question)), OTHER)


def seen_contexts(train: Sequence[Example], test: Sequence[Example]) -> np.ndarray:
    """Of each test question, whether training questions have its context, in normal form."""
    known = {normal_form(example.inputs["context"]) for example in train}
    return np.array([normal_form(example.inputs["context"]) in known for example in test])


def groups(train: Sequence[Example], test: Sequence[Example]) -> dict[str, list[Group]]:
    """The parts by kind (a key of slices.KINDS); a kind whose parts would be too small to score is empty."""
    answered = np.array([bool(example.target) for example in test])
    seen = seen_contexts(train, test)
    return {
        "answerable": _answerable(answered),
        "question_word": _by_word(test),
        "answer_length": _lengths(
            test, lambda example: len(example.target[0]["text"]) if example.target else 0, answered
        ),
        "context_length": _lengths(test, lambda example: len(example.inputs["context"])),
        "leakage": leakage_groups(seen),
    }


def _answerable(answered: np.ndarray) -> list[Group]:
    if answered.all() or not answered.any():
        return []
    return [
        (Text("the text answers it", "文中有答案"), answered),
        (Text("the text does not", "文中没有答案"), ~answered),
    ]


def _by_word(test: Sequence[Example]) -> list[Group]:
    """By question word; those with few questions are put together."""
    words = [question_word(example.inputs["question"]) for example in test]
    parts = [(name, np.array([word is name for word in words])) for name, _ in _WORDS]
    shown = [(name, rows) for name, rows in parts if rows.sum() >= LEAST_ROWS]
    rest = ~np.any([rows for _, rows in shown], axis=0) if shown else np.ones(len(test), dtype=bool)
    if rest.sum() >= LEAST_ROWS:
        shown.append((OTHER, rest))
    return shown if len(shown) > 1 else []


def _lengths(test: Sequence[Example], length: Callable[[Example], int], among: np.ndarray | None = None) -> list[Group]:
    return length_thirds(np.array([length(example) for example in test]), among)
