"""What word overlap alone can answer: the sentence most like the question, and the likeliest stretch of words in it.

Knows texts and TF-IDF. Does not know the tuned model, nor how answers are scored. scikit-learn is imported inside: the page reads
reports without it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.core.text import Text
from engine.evaluation.baselines import TOKEN
from engine.schema import Example
from engine.tasks.qa.counts import statistics
from engine.tasks.qa.threshold import choose

SENTENCE = (
    Text("Most similar sentence", "最相似的句子"),
    Text(
        "Answers with the whole sentence of the context that is most like the question (cosine of TF-IDF over words).",
        "用原文中与问题最相似的整句作答（TF-IDF 余弦相似度）。",
    ),
)
WINDOW = (
    Text("Best words in it", "其中最可能的片段"),
    Text(
        "In that sentence, the stretch as long as answers usually are that says most beyond the question's own words, near them.",
        "在该句中，取与常见答案等长、靠近问题词且信息量最大（不含问题本身用词）的片段。",
    ),
)
SILENCE = (
    Text("Always “no answer”", "总是回答“没有答案”"),
    Text("Says of every question that the text does not answer it.", "对每个问题都说文中没有答案。"),
)
UNTUNED = (
    Text("Untuned model", "微调前的模型"),
    Text(
        "The pretrained model as it came: the span whose ends look most like the ends of answers in training.",
        "预训练模型不做任何训练，选取起止位置与训练答案的起止位置特征最接近的片段。",
    ),
)
SENTENCE_PHRASE = Text("giving the sentence most like the question", "直接给出与问题最相似的句子")
WINDOW_PHRASE = Text("picking words by how rare they are", "按词的稀有程度挑选片段")
SILENCE_PHRASE = Text("always saying “no answer”", "总是回答“没有答案”")

TUNED_ON = 500  # training rows on which the similarity that counts as an answer is chosen
_ENDS = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+|(?<=[。！？；…])[”’」』）]*|\n+")
_TOKEN = re.compile(TOKEN)


@dataclass(frozen=True, slots=True)
class Guess:
    """Answers by word overlap, one a question: the sentence, the words in it, and how like the question the sentence is."""

    sentences: list[str]
    windows: list[str]
    likeness: np.ndarray


def guess(train: Sequence[Example], test: Sequence[Example]) -> Guess:
    """Guesses for `test`; word frequencies and the usual length of answers come from `train`.

    Where training rows lack answers, a question whose best sentence is less like it than a limit gets none; the limit is
    chosen on training rows.
    """
    overlap = Overlap(train)
    guessed = overlap.guess(test)
    if all(example.target for example in train):
        return guessed
    some = train[:TUNED_ON]
    known = overlap.guess(some)
    silent = np.array([float(not example.target) for example in some])
    return Guess(
        _silenced(guessed.sentences, guessed.likeness, _limit(known.likeness, some, known.sentences, silent)),
        _silenced(guessed.windows, guessed.likeness, _limit(known.likeness, some, known.windows, silent)),
        guessed.likeness,
    )


class Overlap:
    """Word frequencies over the sentences of the training contexts, and the usual length of an answer in tokens."""

    def __init__(self, train: Sequence[Example]):
        from sklearn.feature_extraction.text import TfidfVectorizer

        contexts = dict.fromkeys(example.inputs["context"] for example in train)
        pieces = [context[a:b] for context in contexts for a, b in sentences(context)]
        self._vectorizer = TfidfVectorizer(token_pattern=TOKEN, sublinear_tf=True)
        self._vectorizer.fit([*pieces, *(example.inputs["question"] for example in train)])
        self._rarity = dict(zip(self._vectorizer.get_feature_names_out(), self._vectorizer.idf_, strict=True))
        self._unseen = float(self._vectorizer.idf_.max())
        lengths = [len(_TOKEN.findall(example.target[0]["text"])) for example in train if example.target]
        self.usual = max(1, int(np.median(lengths)))
        self._known: dict[str, tuple[list[tuple[int, int]], Any]] = {}

    def guess(self, examples: Sequence[Example]) -> Guess:
        questions = self._vectorizer.transform([example.inputs["question"] for example in examples])
        whole, parts, likeness = [], [], []
        for row, example in enumerate(examples):
            context = example.inputs["context"]
            places, vectors = self._sentences(context)
            like = (vectors @ questions[row].T).toarray().ravel()
            best = int(like.argmax())
            start, end = places[best]
            whole.append(context[start:end].strip())
            parts.append(self._window(context[start:end], example.inputs["question"]))
            likeness.append(float(like[best]))
        return Guess(whole, parts, np.array(likeness))

    def _sentences(self, context: str) -> tuple[list[tuple[int, int]], Any]:
        if context not in self._known:
            places = sentences(context)
            self._known[context] = places, self._vectorizer.transform([context[a:b] for a, b in places])
        return self._known[context]

    def _window(self, sentence: str, question: str) -> str:
        """The `usual` neighbouring tokens with the most rarity beyond the question's words, nearer to those first."""
        tokens = list(_TOKEN.finditer(sentence))
        if not tokens:
            return sentence.strip()
        question_words = {token.lower() for token in _TOKEN.findall(question)}
        own = [token.group().lower() in question_words for token in tokens]
        worth = np.array(
            [
                0.0 if shared else self._rarity.get(token.group().lower(), self._unseen)
                for token, shared in zip(tokens, own, strict=True)
            ]
        )
        near = np.array([place for place, shared in enumerate(own) if shared])
        size = min(self.usual, len(tokens))
        gains = np.convolve(worth, np.ones(size), "valid")
        if len(near):
            middles = np.arange(len(gains)) + (size - 1) / 2
            gains = gains - 0.1 * np.abs(middles[:, None] - near[None, :]).min(axis=1)
        first = int(gains.argmax())
        return sentence[tokens[first].start() : tokens[first + size - 1].end()]


def sentences(text: str) -> list[tuple[int, int]]:
    """[start, end) of the sentences of a text, blank ones left out; the whole text where there is none."""
    places, start = [], 0
    for end in [*(match.end() for match in _ENDS.finditer(text)), len(text)]:
        if text[start:end].strip():
            places.append((start, end))
        start = end
    return places or [(0, len(text))]


def _limit(likeness: np.ndarray, examples: Sequence[Example], answers: Sequence[str], silent: np.ndarray) -> float:
    return -choose(-likeness, statistics(examples, answers)[:, 2], silent).value


def _silenced(answers: Sequence[str], likeness: np.ndarray, limit: float) -> list[str]:
    return [answer if like >= limit else "" for answer, like in zip(answers, likeness, strict=True)]
