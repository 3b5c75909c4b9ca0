"""The simple answers any model must beat: the most frequent class, and keywords.

Knows how to learn from examples without a neural network. Does not know the tuned model, nor how answers are scored.
scikit-learn is imported inside: the page reads reports without it.
"""

from __future__ import annotations

import contextlib
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from engine.core.scripts import UNSPACED
from engine.core.text import Text
from engine.schema import Example

# A word, or a single character of a script without blanks. Pairs of neighbours then are word pairs in English and mostly
# words in Chinese: one rule for every script and for texts that mix them, with no segmenter.
TOKEN = rf"[{UNSPACED}]|[^\W{UNSPACED}]+"
MAX_TRAIN_ROWS = 50_000
MAX_CHARACTERS = 10_000
MAX_FEATURES = 100_000

MAJORITY = (
    Text("Most frequent class", "多数类"),
    Text("Always gives the answer most frequent in training.", "永远给出训练集中最常见的答案。"),
)
KEYWORDS = (
    Text("Keywords", "关键词"),
    Text(
        "TF-IDF over words and word pairs, then logistic regression: what can be told from the words alone.",
        "TF-IDF（词与相邻词对）加逻辑回归：只看用了哪些词能做到的水平。",
    ),
)
UNTUNED = (
    Text("Untuned model", "微调前的模型"),
    Text(
        "The pretrained model as it came, choosing the class whose average text is nearest.",
        "预训练模型不做任何训练，按与各类别平均向量的距离作答。",
    ),
)


def majority_probabilities(train_targets: np.ndarray, rows: int, classes: int) -> np.ndarray:
    """Certainty [rows, classes] for the most frequent class, or for the most frequent set of labels (targets [n, C] bool), empty ones aside."""
    answer = np.zeros(classes)
    if train_targets.ndim == 1:
        answer[np.bincount(train_targets, minlength=classes).argmax()] = 1.0
    else:
        # No label at all is often the most frequent answer, which F1 cannot score.
        sets: Counter[tuple[int, ...]] = Counter(
            tuple(int(label) for label in np.flatnonzero(row)) for row in train_targets if row.any()
        )
        if sets:
            most_frequent = min(sets, key=lambda labels: (-sets[labels], labels))
            answer[list(most_frequent)] = 1.0
    return np.tile(answer, (rows, 1))


class KeywordFeatures:
    """TF-IDF features of examples: of the text, and for pairs of each text and of the words they share."""

    def __init__(self, train: Sequence[Example]):
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.paired = any(example.inputs.get("text_pair") for example in train)
        self._vectorizer = TfidfVectorizer(
            token_pattern=TOKEN,
            ngram_range=(1, 2),
            sublinear_tf=True,
            min_df=2
            if len(train) > 20_000
            else 1,  # measured: rare pairs help a little on small tables and only cost on large ones
            max_features=MAX_FEATURES,
            dtype=np.float32,
        )
        texts = [text for name in self._roles for text in _texts(train, name)]
        # Rows of punctuation alone leave no vocabulary, which scikit-learn refuses; one token that no text has keeps it going.
        self._vectorizer.fit(texts + ["tunebench"])

    @property
    def _roles(self) -> tuple[str, ...]:
        return ("text", "text_pair") if self.paired else ("text",)

    def of(self, examples: Sequence[Example]) -> Any:
        """A sparse matrix [examples, features]."""
        from scipy.sparse import hstack

        blocks = [self._vectorizer.transform(_texts(examples, name)) for name in self._roles]
        if self.paired:
            blocks.append(blocks[0].multiply(blocks[1]))
        return hstack(blocks, format="csr") if len(blocks) > 1 else blocks[0]


def keyword_probabilities(
    features: Any, targets: np.ndarray, test_features: Any, classes: int, seed: int
) -> np.ndarray:
    """Logistic regression from features [n, f] and targets ([n] int or [n, classes] bool) to probabilities [tests, classes].

    SAGA with C = 10 and 30 passes: on 10,003 rows of 77 classes it takes 1.6 s on one core where L-BFGS takes 10 s, with the same
    accuracy (0.8955); C between 3 and 30 moved no data set we measured by more than a point. A class without rows gets zero.
    It warns unless called within `without_warnings`, and may be called by several threads there.
    """
    from sklearn.linear_model import LogisticRegression

    def fit(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        model = LogisticRegression(C=10.0, solver="saga", max_iter=30, tol=1e-3, random_state=seed)
        model.fit(features, labels)
        return model.classes_, model.predict_proba(test_features)

    rows = test_features.shape[0]
    result = np.zeros((rows, classes))
    if targets.ndim == 1:
        present = np.unique(targets)
        if len(present) == 1:
            result[:, present[0]] = 1.0
        else:
            fitted, probabilities = fit(targets)
            result[:, fitted] = probabilities
        return result
    for column, labels in enumerate(targets.T):
        result[:, column] = fit(labels)[1][:, 1] if labels.any() and not labels.all() else float(labels.all())
    return result


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Suppresses scikit-learn's warnings about keyword baselines, whose settings are intended. Filters are of the process, not of a thread."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Stopping after a fixed number of passes is deliberate; the last digits change no prediction.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # A part of a small table may have hardly more rows than classes; they are classes all the same.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        yield


def _texts(examples: Sequence[Example], name: str) -> list[str]:
    return [str(example.inputs.get(name) or "")[:MAX_CHARACTERS] for example in examples]
