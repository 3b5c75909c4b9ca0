"""Baselines learn what simple methods can. Run: python -m pytest tests/engine/evaluation/test_baselines.py"""

from __future__ import annotations

import re

import numpy as np
import pytest

from engine.core.scripts import script_of
from engine.evaluation.baselines import (
    TOKEN,
    KeywordFeatures,
    keyword_probabilities,
    majority_probabilities,
    without_warnings,
)
from engine.schema import Example


def texts(*values: str) -> list[Example]:
    return [Example(row, {"text": text}, "") for row, text in enumerate(values)]


def learn(train: list[Example], targets: np.ndarray, test: list[Example], classes: int) -> np.ndarray:
    features = KeywordFeatures(train)
    with without_warnings():
        return keyword_probabilities(features.of(train), targets, features.of(test), classes, seed=0)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The card's late", ["The", "card", "s", "late"]),
        ("物流很慢", ["物", "流", "很", "慢"]),
        ("iPhone坏了2次", ["iPhone", "坏", "了", "2", "次"]),
        ("เงินคืน", list("เงินคืน")),
        ("배송이 늦어요", ["배송이", "늦어요"]),
        ("!!! ...", []),
    ],
)
def test_tokens_are_words_or_characters_by_script(text: str, tokens: list[str]):
    assert re.findall(TOKEN, text) == tokens


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("where is my order?", "latin"),
        ("订单 iPhone 15 Pro 在哪里，什么时候到", "han"),
        ("注文はどこですか", "kana"),
        ("где мой заказ", "cyrillic"),
        ("12345 !?", "none"),
    ],
)
def test_script(text: str, script: str):
    assert script_of(text) == script


def test_keywords_are_learned_in_english_and_chinese():
    train = texts(*["refund my money now", "the parcel is late"] * 20, *["申请退款到账", "快递还没送到"] * 20)
    targets = np.array([0, 1] * 40)
    result = learn(train, targets, texts("a refund please", "late parcel", "退款呢", "快递呢"), 2)
    assert result.argmax(axis=1).tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(result.sum(axis=1), 1.0, atol=1e-5)


def test_pairs_see_both_texts_and_what_they_share():
    words = [f"word{n}" for n in range(40)]
    train, targets = [], []
    random = np.random.default_rng(0)
    for row in range(400):
        one, two = random.choice(words, 2, replace=False)
        same = row % 2
        train.append(Example(row, {"text": one, "text_pair": one if same else two}, ""))
        targets.append(same)
    test = [
        Example(0, {"text": "word3", "text_pair": "word3"}, ""),
        Example(1, {"text": "word3", "text_pair": "word8"}, ""),
    ]
    assert learn(train, np.array(targets), test, 2).argmax(axis=1).tolist() == [1, 0]


def test_a_class_without_rows_gets_nothing():
    result = learn(texts("a b", "c d", "a b", "c d"), np.array([0, 2, 0, 2]), texts("a b"), 4)
    assert result.shape == (1, 4)
    assert result[0, 1] == result[0, 3] == 0.0
    assert learn(texts("a", "b"), np.array([1, 1]), texts("c"), 3).tolist() == [[0.0, 1.0, 0.0]]


def test_several_labels_each_by_itself():
    train = texts(*["late parcel", "broken cup", "late and broken", "thanks"] * 15)
    targets = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]] * 15, dtype=bool)
    result = learn(train, targets, texts("late", "broken", "late broken"), 3)
    assert (result >= 0.5).tolist() == [[True, False, False], [False, True, False], [True, True, False]]
    assert (result[:, 2] == 0).all()


def test_texts_without_any_word_still_give_probabilities():
    result = learn(texts("!!!", "???", "...", ""), np.array([0, 1, 0, 1]), texts("!", ""), 2)
    np.testing.assert_allclose(result.sum(axis=1), 1.0, atol=1e-5)


def test_majority_is_the_most_frequent_answer():
    assert majority_probabilities(np.array([2, 1, 2]), 2, 3).tolist() == [[0, 0, 1], [0, 0, 1]]
    several = np.array([[1, 1], [1, 0], [1, 1], [0, 0], [0, 0], [0, 0]], dtype=bool)
    assert majority_probabilities(several, 1, 2).tolist() == [[1, 1]]
