"""What each fix changes, and what it leaves alone.

Run: python -m pytest tests/engine/data/test_fixes.py
"""

from __future__ import annotations

import pytest

from engine.config import DataConfig
from engine.core.errors import ConfigProblem
from engine.core.settings import Settings
from engine.data.dataset import load_dataset
from engine.data.fixes import apply_fixes, fixes_for
from engine.schema import Example
from engine.tasks import TASKS


def rows(*pairs):
    return [Example(i, {"text": text}, label) for i, (text, label) in enumerate(pairs, start=2)]


def fixed(code, train, task="classification", **others):
    tables, notices = apply_fixes({"train": train, **others}, [code], TASKS[task])
    assert notices[0].code == f"fixed_{code}"
    return tables


def test_an_unknown_fix_is_refused():
    with pytest.raises(ConfigProblem, match="no fix 'polish'"):
        apply_fixes({"train": []}, ["polish"], TASKS["classification"])


def test_nothing_asked_nothing_changed():
    tables = {"train": rows(("a", "x"))}
    assert apply_fixes(tables, [], TASKS["classification"]) == (tables, [])


def test_duplicates_keep_the_first_and_test_rows():
    train = rows(("One", "x"), ("one ", "x"), ("one", "y"))
    tables = fixed("drop_duplicates", train, test=rows(("one", "x"), ("one", "x")))
    assert [row.row for row in tables["train"]] == [2, 4]
    assert len(tables["test"]) == 2


def test_near_duplicates_keep_the_first():
    train = rows(("how can i change the address of my order", "x"), ("how can i change the address of my order ?", "x"))
    assert [row.row for row in fixed("drop_near_duplicates", train)["train"]] == [2]


def test_conflicts_leave_every_row_of_the_text_out():
    train = rows(("one", "x"), ("One", "y"), ("two", "x"))
    assert [row.row for row in fixed("drop_conflicts", train)["train"]] == [4]


def test_spellings_take_the_most_frequent_form_everywhere():
    train = rows(("a", "Very Good"), ("b", "Very Good"), ("c", "very good"), ("d", "VERY_GOOD"), ("e", "bad"))
    tables = fixed("merge_label_spellings", train, test=rows(("z", "very-good"), ("y", "bad")))
    assert [row.target for row in tables["train"]] == ["Very Good"] * 4 + ["bad"]
    assert [row.target for row in tables["test"]] == ["Very Good", "bad"]


def test_spellings_of_several_labels_are_not_repeated():
    train = rows(("a", ("Good",)), ("b", ("Good", "good", "new")))
    assert [row.target for row in fixed("merge_label_spellings", train)["train"]] == [("Good",), ("Good", "new")]


def test_rare_labels_go_from_every_table():
    train = rows(*[(f"t{i}", "x") for i in range(5)], ("r", "rare"))
    tables = fixed("drop_rare_labels", train, test=rows(("u", "rare"), ("v", "x")))
    assert len(tables["train"]) == 5 and len(tables["test"]) == 1


def entities(text, *spans):
    return [Example(2, {"text": text}, tuple({"start": s, "end": e, "label": label} for s, e, label in spans))]


@pytest.mark.parametrize(
    ("code", "text", "spans", "expected"),
    [
        ("trim_spans", " Ann Lee ran", [(0, 9, "P")], [(1, 8)]),
        ("trim_spans", "a   b", [(1, 4, "P")], []),
        ("widen_spans", "Ann Lee ran", [(1, 6, "P")], [(0, 7)]),
        ("widen_spans", "北京大学", [(1, 3, "P")], [(1, 3)]),
        ("drop_overlaps", "Ann Lee ran far", [(0, 7, "P"), (4, 7, "Q"), (8, 11, "V")], [(0, 7), (8, 11)]),
    ],
)
def test_spans(code, text, spans, expected):
    tables = fixed(code, entities(text, *spans), "ner")
    assert [(span["start"], span["end"]) for span in tables["train"][0].target] == expected


def test_bad_summaries_leave_training_only():
    bad = Example(2, {"document": "short"}, ("much longer than that",))
    good = Example(3, {"document": "a rather long document"}, ("short",))
    tables = fixed("drop_bad_summaries", [bad, good], "summarization", test=[bad])
    assert tables == {"train": [good], "test": [bad]}


def test_a_data_set_has_the_fixes_of_the_configuration(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("text,label\n" + "".join(f"text {i // 2},{'a' if i % 4 < 2 else 'b'}\n" for i in range(80)))
    data = DataConfig(train=str(path), fixes=["drop_duplicates"])
    dataset = load_dataset(data, TASKS["classification"], "minilm", Settings(cache_dir=tmp_path, runs_dir=tmp_path))
    assert len(dataset.examples["train"]) == 40
    assert [(notice.code, notice.count) for notice in dataset.fixes] == [("fixed_drop_duplicates", 40)]


@pytest.mark.parametrize(
    ("task", "example"),
    [
        ("classification", Example(2, {"text": "a"}, "x")),
        ("ner", Example(2, {"text": "Ann"}, ({"start": 0, "end": 3, "label": "P"},))),
        ("qa", Example(2, {"context": "Ann ran", "question": "Who?"}, ({"text": "Ann", "start": 0},))),
        ("summarization", Example(2, {"document": "a long text"}, ("text",))),
    ],
)
def test_every_fix_leaves_sound_rows_alone(task, example):
    for code in fixes_for(TASKS[task]):
        tables, _ = apply_fixes({"train": [example] * 3, "test": []}, [code], TASKS[task])
        assert all(row == example for row in tables["train"])


def test_a_fix_of_another_task_is_refused():
    with pytest.raises(ConfigProblem, match="no fix 'trim_spans'"):
        apply_fixes({"train": rows(("a", "x"))}, ["trim_spans"], TASKS["classification"])


def test_fixes_that_change_rows_run_before_those_that_drop_them():
    assert list(fixes_for(TASKS["ner"])) == [
        "merge_label_spellings", "mask_personal_data", "trim_spans", "widen_spans", "drop_overlaps", "drop_duplicates",
        "drop_near_duplicates", "drop_conflicts", "drop_rare_labels", "drop_leaked",
    ]  # fmt: skip
    assert list(fixes_for(TASKS["summarization"]))[-2:] == ["drop_bad_summaries", "drop_leaked"]
