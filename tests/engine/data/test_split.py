"""Splits: stratified, grouped, deterministic, and honest about what they cannot do.

Run: python -m pytest tests/engine/data/test_split.py
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import DataConfig
from engine.core.errors import FileProblem, LabelProblem
from engine.data.fixes import apply_fixes
from engine.data.normalization import normal_form
from engine.data.split import split
from engine.schema import Example
from engine.tasks import TASKS


def rows(labels, texts=None, first=2):
    texts = texts or [f"text number {first + i}" for i in range(len(labels))]
    return [
        Example(first + i, {"text": text}, label) for i, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]


def codes(splits):
    return {notice.code for notice in splits.notices}


def test_shares_and_strata():
    splits = split({"train": rows(["a"] * 700 + ["b"] * 300)}, DataConfig(), 1, TASKS["classification"])
    assert splits.sizes() == {"train": 720, "validation": 80, "test": 200}
    assert Counter(example.target for example in splits.test) == {"a": 140, "b": 60}
    assert Counter(example.target for example in splits.validation) == {"a": 56, "b": 24}
    assert splits.notices == []


@pytest.mark.parametrize(("count", "tested"), [(1000, 200), (150, 30), (100, 30), (86, 29), (30, 10)])
def test_few_rows_give_a_larger_share_to_the_test(count, tested):
    rows_ = [Example(i, {"document": f"text number {i}"}, ["short"]) for i in range(count)]
    assert len(split({"train": rows_}, DataConfig(), 1, TASKS["summarization"]).test) == tested
    assert len(split({"train": rows_}, DataConfig(test_share=0.2), 1, TASKS["summarization"]).test) == round(
        count * 0.2
    )


def test_the_seed_decides():
    def test_rows(seed):
        return [
            e.row for e in split({"train": rows(["a", "b"] * 50)}, DataConfig(), seed, TASKS["classification"]).test
        ]

    assert test_rows(7) == test_rows(7)
    assert test_rows(7) != test_rows(8)


@given(
    texts=st.lists(
        st.sampled_from(["One", "one ", "ＯＮＥ", "two", "Two", "three", "four", "five", "six"]),
        min_size=12,
        max_size=60,
    ),
    seed=st.integers(0, 5),
)
def test_identical_texts_stay_on_one_side(texts, seed):
    labels = ["a" if normal_form(text) < "p" else "b" for text in texts]
    try:
        splits = split({"train": rows(labels, texts)}, DataConfig(), seed, TASKS["classification"])
    except (LabelProblem, FileProblem):
        return
    sides = [{normal_form(e.inputs["text"]) for e in side} for side in (splits.train, splits.validation, splits.test)]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
    assert sum(splits.sizes().values()) == len(texts)


def test_a_rare_class_stays_in_train_and_is_named():
    splits = split({"train": rows(["a"] * 50 + ["b"] * 50 + ["rare"] * 2)}, DataConfig(), 3, TASKS["classification"])
    assert [e.target for e in splits.train].count("rare") == 2
    notice = next(n for n in splits.notices if n.code == "class_too_rare")
    assert "rare (2)" in notice.message.en and "rare (2)" in notice.message.zh
    assert [place.row for place in notice.rows] == [102, 103]


def test_every_class_that_can_be_tested_is():
    labels = [f"c{i}" for i in range(40)] * 4
    splits = split({"train": rows(labels)}, DataConfig(test_share=0.1), 1, TASKS["classification"])
    assert {e.target for e in splits.test} == {e.target for e in splits.train}


def test_given_files_are_taken_as_they_are():
    test = rows(["a", "b"], first=900)
    splits = split({"train": rows(["a", "b"] * 50), "test": test}, DataConfig(), 1, TASKS["classification"])
    assert splits.test == test
    assert splits.sizes() == {"train": 90, "validation": 10, "test": 2}


def test_leakage_from_a_given_file_is_said_and_the_rows_are_kept():
    train = rows(["a", "b"] * 50)
    splits = split(
        {"train": train, "test": [train[0], *rows(["a"], ["new"])]}, DataConfig(), 1, TASKS["classification"]
    )
    assert len(splits.test) == 2
    assert [(n.code, n.count) for n in splits.notices] == [("leakage", 1)]


def test_labels_that_train_lacks_are_said():
    splits = split(
        {"train": rows(["a", "b"] * 50), "test": rows(["c", "a"], first=900)}, DataConfig(), 1, TASKS["classification"]
    )
    notice = splits.notices[0]
    assert (notice.code, notice.count, notice.rows[0].row) == ("unseen_labels_test", 1, 900)
    assert "c (1)" in notice.message.en


def test_max_train_rows_keeps_proportions_and_rare_classes():
    data = DataConfig(max_train_rows=40)
    splits = split({"train": rows(["a"] * 800 + ["b"] * 190 + ["c"] * 10)}, data, 1, TASKS["classification"])
    counts = Counter(e.target for e in splits.train)
    assert sum(counts.values()) == 40
    assert counts["a"] > counts["b"] > counts["c"] >= 1
    assert "train_sampled" in codes(splits)
    assert len(splits.test) == 200


def test_multi_label_rows_are_drawn_by_their_rarest_label():
    labels = [("common",)] * 80 + [("common", "seldom")] * 20
    splits = split({"train": rows(labels)}, DataConfig(test_share=0.2), 1, TASKS["classification"])
    assert sum("seldom" in e.target for e in splits.test) == 4


def test_questions_on_one_text_stay_together():
    questions = [
        Example(i, {"context": f"context {i // 5}", "question": f"question {i}"}, ({"text": "c", "start": 0},))
        for i in range(200)
    ]
    splits = split({"train": questions}, DataConfig(), 1, TASKS["qa"])
    sides = [{e.inputs["context"] for e in side} for side in (splits.train, splits.validation, splits.test)]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
    assert len(splits.test) == 40


@pytest.mark.parametrize("task", ["ner", "summarization"])
def test_other_tasks_split_too(task):
    if task == "ner":
        given_rows = [Example(i, {"text": f"t{i}"}, ({"start": 0, "end": 1, "label": "X"},)) for i in range(50)]
    else:
        given_rows = [Example(i, {"document": f"d{i}"}, ("s",)) for i in range(50)]
    assert split({"train": given_rows}, DataConfig(), 1, TASKS[task]).sizes() == {
        "train": 30,
        "validation": 3,
        "test": 17,
    }


def test_too_few_rows_are_refused():
    with pytest.raises(FileProblem) as caught:
        split({"train": rows(["a", "b"], ["same", "same"])}, DataConfig(), 1, TASKS["classification"])
    assert caught.value.code == "too_few_rows"


def test_labels_that_differ_in_every_row_are_refused():
    texts_as_labels = rows([f"a long sentence, number {i}" for i in range(40)])
    with pytest.raises(LabelProblem, match="a long sentence, number 0"):
        split({"train": texts_as_labels}, DataConfig(), 1, TASKS["classification"])
    # A small sample of many classes is another matter.
    many = rows([f"class {i % 40}" for i in range(400)])
    assert len(split({"train": many}, DataConfig(max_train_rows=40), 1, TASKS["classification"]).train) == 40


def test_fixes_that_leave_no_training_row_are_told():
    tables = {"train": [Example(1, {"document": "a"}, ("a",))], "test": [Example(1, {"document": "b c"}, ("b",))]}
    emptied, _ = apply_fixes(tables, ["drop_bad_summaries"], TASKS["summarization"])
    with pytest.raises(FileProblem):
        split(emptied, DataConfig(), 1, TASKS["summarization"])


def test_one_label_is_refused():
    with pytest.raises(LabelProblem):
        split({"train": rows(["a"] * 10)}, DataConfig(), 1, TASKS["classification"])


@pytest.mark.parametrize(("rows", "expected"), [(1_000, 100), (6_000, 500), (20_000, 1_000)])
def test_large_tables_give_a_smaller_share_to_validation(rows, expected):
    examples = [Example(i + 2, {"text": f"text number {i}"}, "ab"[i % 2]) for i in range(rows)]
    given_test = [Example(2, {"text": "another"}, "a"), Example(3, {"text": "and another"}, "b")]
    parts = split({"train": examples, "test": given_test}, DataConfig(), 1, TASKS["classification"])
    assert abs(len(parts.validation) - expected) <= 2
    parts = split({"train": examples, "test": given_test}, DataConfig(validation_share=0.2), 1, TASKS["classification"])
    assert abs(len(parts.validation) - rows / 5) <= 2
