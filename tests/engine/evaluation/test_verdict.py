"""The verdict follows from the intervals. Run: python -m pytest tests/engine/evaluation/test_verdict.py"""

from __future__ import annotations

import pytest

from engine.evaluation.intervals import Difference, Interval
from engine.evaluation.metric_format import gap_range, listing, number, percent
from engine.evaluation.verdict import KEYWORDS_PHRASE, MAJORITY_PHRASE, BaselineResult, decide_level, sentence


def keywords(value: float, low: float, high: float, p: float = 0.001) -> BaselineResult:
    return BaselineResult(KEYWORDS_PHRASE, value, Difference("accuracy", (low + high) / 2, low, high, p), True)


def majority(value: float, low: float, high: float) -> BaselineResult:
    return BaselineResult(MAJORITY_PHRASE, value, Difference("accuracy", (low + high) / 2, low, high, 0.001), False)


SURE = Interval(0.92, 0.90, 0.94)

CASES = [
    ("strong", SURE, [keywords(0.80, 0.10, 0.14), majority(0.3, 0.6, 0.65)]),
    ("useful", SURE, [keywords(0.89, 0.01, 0.05)]),  # surely better, by little
    ("useful", Interval(0.5, 0.45, 0.55), [keywords(0.2, 0.25, 0.35)]),  # far better, and still mostly wrong
    ("useful", SURE, [majority(0.3, 0.6, 0.65)]),  # keywords were never tried
    ("unclear", SURE, [keywords(0.9, -0.08, 0.12, 0.7)]),  # includes zero, and is wide
    ("unclear", SURE, [keywords(0.8, 0.02, 0.3, 0.2)]),  # above zero, but the exact test disagrees
    ("unclear", SURE, []),
    ("no_better", SURE, [keywords(0.91, -0.01, 0.03, 0.3)]),  # includes zero, and is narrow
    ("unclear", SURE, [keywords(1.0, -1.0, -1.0, 1.0)]),  # below zero, but the exact test disagrees
    ("no_better", SURE, [keywords(0.92, 0.0, 0.0, 1.0)]),  # the same answers
    ("no_better", SURE, [keywords(0.97, -0.07, -0.03)]),  # surely worse
    ("no_better", SURE, [keywords(0.97, -0.30, -0.05)]),  # surely worse, however wide
    ("no_better", SURE, [keywords(0.4, 0.4, 0.5), majority(0.92, -0.02, 0.02)]),  # the best rival counts
]


@pytest.mark.parametrize(("level", "headline", "rivals"), CASES)
def test_level(level: str, headline: Interval, rivals: list[BaselineResult]):
    assert decide_level(headline, rivals, 0.95) == level


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
@pytest.mark.parametrize(("level", "headline", "rivals"), CASES)
def test_sentence_names_the_value_its_interval_and_the_best_rival(
    level: str, headline: Interval, rivals: list[BaselineResult], metric: str
):
    output = sentence(metric, headline, rivals, 3000, 0.95)
    best = max((rival.value for rival in rivals), default=None)
    for language in (output.en, output.zh):
        for value in (headline.value, headline.low, headline.high, *([] if best is None else [best])):
            assert number(metric, value, 3000) in language
        assert language.rstrip()[-1] in ".。"
    assert not any("\u4e00" <= character <= "\u9fff" for character in output.en)


def test_sentence_of_a_worse_model_says_so():
    output = sentence("accuracy", SURE, [keywords(0.97, -0.07, -0.03)], 3000, 0.95)
    assert "worse than keywords alone (97.0%)" in output.en
    assert "简单方法是更好的选择" in output.zh


def test_a_single_row_condemns_nobody():
    output = sentence("accuracy", Interval(0.0, 0.0, 0.98), [keywords(1.0, -1.0, -1.0, 1.0)], 1, 0.95)
    assert "1 test row is too few to tell whether that is better or worse than keywords alone (100%)" in output.en
    assert "worse than keywords alone (100%). The simple" not in output.en
    assert "更好还是更差" in output.zh


def test_unclear_names_the_rows_and_the_range():
    output = sentence("accuracy", SURE, [keywords(0.9, -0.08, 0.12, 0.7)], 25, 0.95)
    assert "cannot be told from 25 test rows" in output.en
    assert "−8.0 to +12.0 points" in output.en
    assert "−8.0 到 +12.0 个百分点" in output.zh


@pytest.mark.parametrize(
    ("share", "digits", "shown"),
    [
        (0.5, 0, "50%"),
        (1.0, 0, "100%"),
        (0.0, 1, "0.0%"),
        (0.996, 0, "99.6%"),
        (0.99999, 0, ">99.9%"),
        (0.0004, 0, "<0.1%"),
        (0.9273, 1, "92.7%"),
    ],
)
def test_percent_never_rounds_to_certainty(share: float, digits: int, shown: str):
    assert percent(share, digits) == shown


def test_digits_are_those_the_rows_can_carry():
    assert (number("accuracy", 0.9273, 3000), number("accuracy", 0.9273, 50)) == ("92.7%", "93%")
    assert (number("macro_f1", 0.9273, 3000), number("macro_f1", 0.9273, 50)) == ("0.927", "0.93")
    assert gap_range("macro_f1", -0.01, 0.02).en == "−0.010 to +0.020"


def test_listing_counts_what_it_leaves_out():
    assert listing(["a"]).en == "a"
    assert listing(["a", "b", "c"]).en == "a, b and c"
    assert listing(["a", "b", "c"], 2).en == "a, b and 1 more"
    assert listing(["a", "b", "c"], 2).zh == "a、b等 3 个"
