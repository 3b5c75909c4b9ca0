"""Which split a file is, by its name. Run: python -m pytest tests/engine/data/test_split_names.py"""

from __future__ import annotations

import pytest

from engine.core.errors import FileProblem
from engine.data.split_names import split_files, split_of_name


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.csv", "train"),
        ("my-training data.csv.gz", "train"),
        ("reviews_dev.jsonl", "validation"),
        ("评论训练集.csv", "train"),
        ("评论(测试).xlsx", "test"),
        ("contest.csv", ""),  # the word inside a word is no word
        ("restrained.csv", ""),
    ],
)
def test_names(name, split):
    assert split_of_name(name) == split


def test_several_files():
    assert split_files(["b_test.csv", "b_train.csv", "b_val.csv"]) == {
        "train": "b_train.csv",
        "validation": "b_val.csv",
        "test": "b_test.csv",
    }
    assert split_files(["anything.csv"]) == {"train": "anything.csv"}
    assert split_files(["test.csv"]) == {"train": "test.csv"}
    assert split_files(["reviews.csv", "reviews_test.csv"]) == {"train": "reviews.csv", "test": "reviews_test.csv"}


@pytest.mark.parametrize(
    "names", [["a.csv", "b.csv"], ["train.csv", "training.csv"], ["dev.csv", "test.csv"], ["train.csv", "x.csv"]]
)
def test_what_the_names_leave_open_is_asked_for(names):
    with pytest.raises(FileProblem) as caught:
        split_files(names)
    assert caught.value.code == "unclear_splits"
    assert all(name in caught.value.message.en and name in caught.value.message.zh for name in names)
