"""Exact match and F1 by the official definitions: every line of the table was worked out by hand.

Run: python -m pytest tests/engine/evaluation/test_qa_match.py
"""

from __future__ import annotations

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.qa.match import (
    is_chinese,
    longest_common_run,
    match,
    mixed_segmentation,
    normalize,
    remove_punctuation,
)

# (answer, references, exact match, F1)
ENGLISH = [
    ("Denver Broncos", ["Denver Broncos"], 1, 1),
    # Case, articles, ASCII punctuation and blanks do not count.
    ("the Denver Broncos", ["Denver Broncos"], 1, 1),
    ("DENVER broncos.", ["Denver Broncos"], 1, 1),
    ("  Denver \n Broncos ", ["Denver Broncos"], 1, 1),
    ("A cat", ["an cat"], 1, 1),
    ("theatre", ["atre"], 0, 0),  # "the" is an article only as a word
    ("U.S.", ["US"], 1, 1),
    ("well-known", ["well known"], 0, 0),  # the hyphen goes, and the words grow together
    ("$1,000", ["1000"], 1, 1),
    ("3.95", ["395"], 1, 1),
    ("don't", ["dont"], 1, 1),
    # Part of the words: precision 1, recall 1/2.
    ("Denver", ["Denver Broncos"], 0, 2 / 3),
    # Precision 2/4, recall 2/2.
    ("Denver Broncos won it", ["Denver Broncos"], 0, 2 / 3),
    # Precision 1/3 and recall 1/2: F1 2/5.
    ("Denver beat Carolina", ["Denver Broncos"], 0, 0.4),
    # Words are bags: order does not count, number does.
    ("Broncos Denver", ["Denver Broncos"], 0, 1),
    ("no no no", ["no"], 0, 0.5),
    ("no no", ["no no no"], 0, 0.8),
    ("Carolina Panthers", ["Denver Broncos"], 0, 0),
    # The best of several references, each measure by itself.
    ("1990", ["in 1990", "1990"], 1, 1),
    ("about 1990", ["in 1990", "in the year 1990"], 0, 0.5),
    ("in the 1990s", ["1990s", "the nineties"], 0, 2 / 3),
    # No answer: only saying nothing is right.
    ("", [], 1, 1),
    ("Denver", [], 0, 0),
    ("", ["Denver"], 0, 0),
    ("the", [], 1, 1),  # nothing is left of it
    ("", ["the"], 1, 1),  # nothing is left of the reference: as if there were none (SQuAD 2.0)
    ("...", ["Denver"], 0, 0),
    ("Denver", ["!", "Denver"], 1, 1),
    # Other scripts and signs: only ASCII punctuation goes.
    ("£60", ["60"], 0, 0),
    ("“quoted”", ["quoted"], 0, 0),
    ("Zürich", ["zürich"], 1, 1),
    ("Größe 44", ["Größe 42"], 0, 0.5),
    ("🎉 party", ["party"], 0, 2 / 3),
]
CHINESE = [
    ("澜禾", ["澜禾"], 1, 1),
    # CMRC's punctuation does not count; blanks within do for exact match.
    ("《红楼梦》", ["红楼梦"], 1, 1),
    ("红楼梦。", ["红楼梦"], 1, 1),
    ("二十、三十", ["二十三十"], 1, 1),
    ("北京 上海", ["北京上海"], 0, 1),
    # Characters: the run 北京 is 2 of 3 given, 2 of 2 wanted.
    ("北京市", ["北京"], 0, 0.8),
    ("京", ["北京"], 0, 2 / 3),
    # The longest run counts, not the bag: 京 or 北 alone is shared in order.
    ("京北", ["北京"], 0, 0.5),
    # 一二 and 四五 are shared, but only the longer run counts: 2 of 5, 2 of 5.
    ("一二三四五", ["一二零四五"], 0, 0.4),
    ("上海", ["北京"], 0, 0),
    ("上海", ["北京", "上海市"], 0, 0.8),
    # Mixed scripts: Latin words and numbers are one piece each.
    ("iPhone手机", ["iphone手机"], 1, 1),
    ("第10天", ["第10天"], 1, 1),
    ("10天", ["第10天"], 0, 0.8),
    ("10 天", ["第10天"], 0, 0.8),
    ("Windows系统", ["Linux系统"], 0, 2 / 3),
    ("NFL 橄榄球", ["橄榄球"], 0, 6 / 7),
    ("19.9元", ["19.9元"], 1, 1),
    ("20-30元", ["20-30元"], 1, 1),
    # No answer.
    ("", [], 1, 1),
    ("北京", [], 0, 0),
    ("", ["北京"], 0, 0),
    ("。", [], 1, 1),
]


@pytest.mark.parametrize(("answer", "references", "exact", "f1"), ENGLISH)
def test_squad_by_hand(answer: str, references: list[str], exact: float, f1: float) -> None:
    assert match(answer, references, chinese=False) == (exact, pytest.approx(f1))


@pytest.mark.parametrize(("answer", "references", "exact", "f1"), CHINESE)
def test_cmrc_by_hand(answer: str, references: list[str], exact: float, f1: float) -> None:
    assert match(answer, references, chinese=True) == (exact, pytest.approx(f1))


def test_the_tables_are_as_long_as_promised() -> None:
    assert len(ENGLISH) + len(CHINESE) >= 30


def test_pieces_of_mixed_text() -> None:
    assert mixed_segmentation("第 10 天，iPhone 15 Pro（黑）") == ["第", "10", "天", "iphone", "15", "pro", "黑"]
    assert mixed_segmentation("don't 走") == ["do", "n't", "走"]
    assert mixed_segmentation("，。") == []
    # CMRC lists an ellipsis of two characters, so that a single one stays.
    assert remove_punctuation("等……") == "等……"


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_the_longest_run_is_the_longest(first: list[str], second: list[str]) -> None:
    a, b = "".join(first), "".join(second)
    longest = max((j - i for i in range(len(a) + 1) for j in range(i, len(a) + 1) if a[i:j] in b), default=0)
    assert longest_common_run(first, second) == longest


@given(st.text(alphabet="aA tThHeE.,!n\n中", max_size=30))
def test_the_normal_form_is_what_squads_steps_give(text: str) -> None:
    lowered = "".join(ch for ch in text.lower() if ch not in set(string.punctuation))
    assert normalize(text) == " ".join(re.sub(r"\b(a|an|the)\b", " ", lowered).split())
    assert normalize(normalize(text)) == normalize(text) or "the" in text.lower() or "an" in text.lower()


@given(
    st.lists(st.sampled_from(["red", "box", "the", "cat"]), max_size=6),
    st.lists(st.sampled_from(["red", "box", "cat"]), min_size=1, max_size=6),
)
def test_f1_is_symmetric_and_one_only_for_the_same_words(given_words: list[str], wanted_words: list[str]) -> None:
    answer, reference = " ".join(given_words), " ".join(wanted_words)
    exact, f1 = match(answer, [reference], chinese=False)
    assert 0 <= f1 <= 1 and f1 >= exact
    left = Counter(normalize(answer).split())
    assert (f1 == 1) == (left == Counter(wanted_words))
    if normalize(answer):
        assert match(reference, [answer], chinese=False)[1] == pytest.approx(f1)


def test_which_definition_scores_a_row() -> None:
    assert is_chinese("澜禾有四个发货仓。", "一共有几个仓？")
    assert not is_chinese("Larkmoor has four warehouses.", "How many?")
    assert is_chinese("Larkmoor 有四个仓库。", "有几个？")
    assert not is_chinese("澜禾有四个仓库。", "How many warehouses are there?")
    assert is_chinese("澜禾有四个仓库。", "???")
