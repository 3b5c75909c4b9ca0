"""What summaries are like, and extracts without a model. Run: python -m pytest tests/engine/evaluation/test_summary_measures.py"""

from __future__ import annotations

import pytest

from engine.core.text import Text
from engine.evaluation.intervals import Interval
from engine.tasks.summarization import insights
from engine.tasks.summarization.baselines import extract, lead, usual_length
from engine.tasks.summarization.measures import measures_from, statistics, strange_things
from engine.tasks.summarization.sections import measure_names

DOCUMENT = "Anna Berg from Larkmoor ordered 3 lamps on 5 May. She paid 1,250 euros. The lamps never came."


@pytest.mark.parametrize(
    ("text", "numbers", "names"),
    [
        ("Anna Berg paid 1250 euros for three lamps.", [], []),
        ("Anna paid 1300 euros.", ["1300"], []),
        ("On 5 May, Anna Bergs lamps from Swiftlane did not come.", [], ["Swiftlane"]),
        ("Nothing came. I think so, and Mr Berg agrees.", [], []),
        ("Lamps cost money. Peter paid for 7.", ["7"], []),  # a sentence's first word tells nothing
        ("They paid Peter Smith 3 euros.", [], ["Peter", "Smith"]),
    ],
)
def test_numbers_and_names_that_the_document_lacks(text, numbers, names):
    assert strange_things(DOCUMENT, text) == {"numbers": numbers, "names": names}


def test_chinese_numbers_are_numbers():
    assert strange_things("三盏灯，共1250元。", "3盏灯共1,250元")["numbers"] == []
    assert strange_things("三盏灯，共1250元。", "4盏灯")["numbers"] == ["4"]


@pytest.mark.parametrize("result", [0.0, 0.5])
def test_a_chinese_report_says_that_its_names_were_not_checked(result):
    tuned, references = Interval(result, result, result), Interval(0.0, 0.0, 0.0)
    chinese, english = (
        Text.from_dict(insights.strange(tuned, references, 10, chinese)["text"]) for chinese in (True, False)
    )
    assert "未做检查" in chinese.zh and "not checked" in chinese.en and "name that" not in chinese.en
    assert "未做检查" not in english.zh and "a number or a name" in english.en
    labels = {}
    for counted in ("characters", "words"):
        labels[counted] = measure_names(counted)["strange_names"][0].zh
    assert "拉丁" in labels["characters"] and "拉丁" not in labels["words"]


def test_measures_of_copying_rewording_and_repeating():
    copy, new, again = (
        measures_from(statistics([DOCUMENT], [text]).sum(axis=0))
        for text in (
            "She paid 1,250 euros.",
            "Somebody wanted light",
            "the lamps never the lamps never the lamps never",
        )
    )
    assert copy["novel_1"] == copy["novel_3"] == 0 and copy["repetition"] == 0
    assert new["novel_1"] == 1 and new["strange"] == 0
    assert again["repetition"] == pytest.approx(4 / 7)
    assert copy["words"] == 5 and copy["compression"] == pytest.approx(19 / 5)
    empty = measures_from(statistics([DOCUMENT], [""]).sum(axis=0))
    assert empty["empty"] == 1 and empty["novel_1"] == 0


def test_extracts():
    assert lead(DOCUMENT, 1).endswith("5 May.") and lead(DOCUMENT, 3) == DOCUMENT
    assert usual_length([("one two three", "x"), ("one",)]) == 2
    text = "Zebras run. Cats sleep. Cats eat and cats sleep all day."
    assert extract(text, 8) == "Cats sleep. Cats eat and cats sleep all day."
    assert extract(text, 2) == "Cats sleep."
    assert extract("Only one.", 3) == "Only one." and extract("", 3) == ""


def test_a_sample_is_told_with_what_kept_it_small():
    assert insights.sample(29, 29) is None
    requests, short = (Text.from_dict(insights.sample(40, 1500, minutes)["text"]) for minutes in (None, 2.5))
    assert "40 of 1,500" in requests.en and "“Test rows”" in requests.en and "测试行数" in requests.zh
    assert "limit of 150 s" in short.en and "150 秒" in short.zh and "Test rows" not in short.en
