"""ROUGE equals rouge-score's; Chinese goes by characters. Run: python -m pytest tests/engine/evaluation/test_rouge.py"""

from __future__ import annotations

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

from engine.tasks.summarization.rouge import Characters, is_chinese, metrics_from, scores, statistics
from engine.tasks.summarization.sentences import sentences

PAIRS = [
    (["The order can be changed until it is packed."], "Orders may be changed before packing."),
    (["He said it's 3.5% more, i.e. too much!"], "It is 3.5% more."),
    (["A cat sat.", "The dog slept on the mat."], "A dog slept on a mat, quietly."),
    (["identical words here"], "identical words here"),
    (["nothing in common"], "entirely different"),
    (["something"], ""),
    (["Café naïve — “quoted”"], "cafe naive quoted"),
]


@pytest.mark.parametrize(("references", "text"), PAIRS)
def test_english_is_rouge_scores_to_the_last_digit(references, text):
    names = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    scorer = RougeScorer(names, use_stemmer=True)
    lined = ["\n".join(sentences(one)) for one in (*references, text)]
    expected = scorer.score_multi(lined[:-1], lined[-1])
    assert scores(references, text) == {name: expected[name].fmeasure for name in names}
    # Lines matter to ROUGE-Lsum alone.
    plain = scorer.score_multi(references, text)
    for name in names[:3]:
        assert scores(references, text)[name] == plain[name].fmeasure


def test_chinese_goes_by_characters():
    result = scores(["订单可以修改"], "订单不能修改")
    assert result["rouge1"] == pytest.approx(4 / 6)
    assert result["rouge2"] == pytest.approx(2 / 5)
    assert result["rougeL"] == pytest.approx(4 / 6)
    assert Characters().tokenize("买了iPhone15，3台") == ["买", "了", "iphone15", "3", "台"]
    assert is_chinese(["用 Hub 里的设备"]) and not is_chinese(["the word 好 in English text"]) and not is_chinese([""])


def test_the_best_reference_counts_and_the_mean_is_of_rows():
    result = statistics([["a b c", "x y z"], ["a b c"]], ["x y z", "q"])
    assert result.shape == (2, 5)
    values = metrics_from(result.sum(axis=0))
    assert values["rouge1"] == pytest.approx(0.5)
    assert metrics_from(np.stack([result.sum(axis=0)] * 3))["rougeL"].shape == (3,)


def test_sentences_end_where_they_do():
    text = "Dr. Smith paid 3.50 euros. He left! Why? e.g. this one\nA new line"
    assert sentences(text) == ["Dr. Smith paid 3.50 euros.", "He left!", "Why?", "e.g. this one", "A new line"]
    assert sentences("今天好。明天呢？“好！”他说。") == ["今天好。", "明天呢？", "“好！”", "他说。"]
    assert sentences("") == [] and sentences("no end") == ["no end"]
