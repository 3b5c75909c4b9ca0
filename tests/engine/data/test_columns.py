"""Which column plays which role.

Run: python -m pytest tests/engine/data/test_columns.py
"""

from __future__ import annotations

import dataclasses

import pytest

from engine.core.errors import ColumnProblem
from engine.core.text import Text
from engine.data.columns import guess_columns, guess_with_reasons, resolve_columns, resolve_tables
from engine.tasks import TASKS
from tests.engine.data.tables import table

ENGLISH = [
    "The parcel came two days late and nobody called",
    "I love the colour of this lamp",
    "It broke after one week of normal use",
    "Great value, I would buy it again",
    "The manual is missing from the box",
    "Fast delivery and friendly people",
]
CHINESE = [
    "物流太慢了，等了一个星期",
    "颜色很好看，喜欢",
    "用了一周就坏了",
    "性价比很高，会再买",
    "盒子里没有说明书",
    "发货快，客服态度好",
]
LABELS = ["bad", "good", "bad", "good", "bad", "good"]
IDS = [f"dev_{i}" for i in range(60)]
DATES = [f"2026-03-{i % 28 + 1:02d} 10:{i:02d}" for i in range(60)]


def sixty(values):
    return [
        f"{value} {i // len(values)}" if value in ENGLISH + CHINESE else value
        for i, value in enumerate((values * 60)[:60])
    ]


@pytest.mark.parametrize(
    ("text", "label", "values"),
    [
        ("text", "label", ENGLISH),
        ("Review Text", "Sentiment", ENGLISH),
        ("reviewBody", "stars", ENGLISH),
        ("utterance", "intent", ENGLISH),
        ("评论内容", "情感", CHINESE),
        ("正文", "类别", CHINESE),
        ("文本", "标签", CHINESE),
        ("x1", "x2", ENGLISH),  # no names to go by
        ("列一", "列二", CHINESE),
    ],
)
def test_classification_by_names_and_contents(text, label, values):
    columns = {
        "id": IDS,
        "created_at": DATES,
        label: sixty(LABELS),
        "user name": sixty(["ann b", "bob c", "cy d"]),
        text: sixty(values),
    }
    assert guess_columns(table(columns), TASKS["classification"]) == {"text": text, "label": label}


@pytest.mark.parametrize("task", ["classification", "ner", "qa", "summarization"])
def test_identifiers_and_dates_are_never_text(task):
    columns = {
        "text": IDS,  # named like text, holds identifiers
        "content": DATES,
        "uuid": [f"{i:08x}-0000-4000-8000-000000000000" for i in range(60)],
        "link": [f"https://example.org/a/{i}" for i in range(60)],
        "编号": [f"这是第{i}号编号" for i in range(60)],
        "number": [str(i * 37) for i in range(60)],
    }
    assert guess_columns(table(columns), TASKS[task]) == {}


def test_a_guess_says_why():
    guesses = guess_with_reasons(table({"text": sixty(ENGLISH), "c2": sixty(LABELS)}), TASKS["classification"])
    assert guesses["text"].reason.en == "its name matches"
    assert guesses["label"].reason.en == "it holds few short values that repeat"
    assert 0 < guesses["label"].score < guesses["text"].score <= 1


def test_text_pairs_are_found_by_name_only():
    pairs = {"premise": sixty(ENGLISH), "hypothesis": sixty(CHINESE), "label": sixty(LABELS)}
    assert guess_columns(table(pairs), TASKS["classification"]) == {
        "text": "premise",
        "text_pair": "hypothesis",
        "label": "label",
    }
    other = {"text": sixty(ENGLISH), "remark": sixty(CHINESE), "label": sixty(LABELS)}
    assert "text_pair" not in guess_columns(table(other), TASKS["classification"])


def test_integer_labels_and_list_labels():
    assert guess_columns(table({"a": sixty(ENGLISH), "b": [0, 1] * 30}), TASKS["classification"])["label"] == "b"
    lists = {"text": sixty(ENGLISH), "topics": [["a", "b"], ["a"], ["b"]] * 20}
    assert guess_columns(table(lists), TASKS["classification"])["label"] == "topics"


def test_ner_from_tokens_among_other_tags():
    columns = {
        "id": IDS[:3],
        "tokens": [["Ann", "ran"], ["Hi"], ["Rome"]],
        "pos_tags": [["NNP", "VBD"], ["UH"], ["NNP"]],
        "ner_tags": [["B-PER", "O"], ["O"], ["B-LOC"]],
    }
    assert guess_columns(table(columns), TASKS["ner"]) == {"tokens": "tokens", "tags": "ner_tags"}


def test_ner_from_lists_written_into_csv_cells():
    columns = {"词": ["['我', '在', '京']"] * 3, "标注": ["['O', 'O', 'B-LOC']"] * 3}
    assert guess_columns(table(columns), TASKS["ner"]) == {"tokens": "词", "tags": "标注"}


def test_ner_from_spans():
    columns = {"text": ["Ann met Bob in Rome"] * 3, "label": [[[0, 3, "PER"]], [], [[8, 11, "PER"]]], "id": [1, 2, 3]}
    assert guess_columns(table(columns), TASKS["ner"]) == {"text": "text", "spans": "label"}


def test_qa_by_contents_alone():
    columns = {
        "a": ["The tower was built in 1889 and has stood in Paris ever since, to the joy of its many visitors."] * 4,
        "b": ["When was the tower built?", "Where does it stand?", "Who enjoys it?", "Since when?"],
        "c": ["1889", "Paris", "visitors", "1889"],
    }
    assert guess_columns(table(columns), TASKS["qa"]) == {"question": "b", "context": "a", "answers": "c"}


def test_qa_in_chinese():
    columns = {
        "原文": ["铁塔建于1889年，位于巴黎。"] * 2,
        "问题": ["何时建成？", "位于哪里？"],
        "答案": ["1889年", "巴黎"],
        "答案起点": [4, 12],
    }
    assert guess_columns(table(columns), TASKS["qa"]) == {
        "context": "原文",
        "question": "问题",
        "answers": "答案",
        "answer_start": "答案起点",
    }


@pytest.mark.parametrize(
    ("document", "summary"), [("article", "highlights"), ("正文", "标题"), ("content", "摘要"), ("d", "s")]
)
def test_summarization(document, summary):
    columns = {
        "id": list(range(30)),
        document: [f"{' '.join(ENGLISH)} {i}" for i in range(30)],
        summary: [f"{ENGLISH[i % 6][:25]} {i}" for i in range(30)],
        "topic": ["a b", "c d", "e f"] * 10,
    }
    assert guess_columns(table(columns), TASKS["summarization"]) == {"document": document, "summary": summary}


def test_a_given_column_frees_the_others():
    columns = {"title": sixty(ENGLISH), "text": sixty(CHINESE), "label": sixty(LABELS), "topic": sixty(["a", "b", "c"])}
    assert resolve_columns(table(columns), TASKS["classification"], {"text": "title"}) == {
        "text": "title",
        "label": "label",
    }
    assert resolve_columns(table(columns), TASKS["classification"], {"label": "topic", "text": ""}) == {
        "text": "text",
        "label": "topic",
    }


def test_a_misspelt_column_lists_what_exists_and_the_nearest():
    with pytest.raises(ColumnProblem) as caught:
        resolve_columns(
            table({"Text": sixty(ENGLISH), "label": sixty(LABELS)}), TASKS["classification"], {"text": "texte"}
        )
    problem = caught.value
    assert problem.code == "missing_column"
    assert "'Text', 'label'" in problem.message.en
    assert "'Text'" in problem.hint.en
    assert problem.where["columns"] == ["Text", "label"]


@pytest.mark.parametrize(
    ("task", "columns", "given", "code"),
    [
        ("classification", {"a": [str(i) for i in range(60)], "b": IDS}, {}, "no_column"),
        ("classification", {"text": ENGLISH, "label": LABELS}, {"text": "text", "label": "text"}, "column_twice"),
        ("classification", {"text": ENGLISH, "label": LABELS}, {"document": "text"}, "unknown_role"),
        ("ner", {"text": ENGLISH}, {}, "no_column"),
        ("qa", {"context": ENGLISH, "answer": LABELS}, {}, "no_column"),
    ],
)
def test_refused(task, columns, given, code):
    with pytest.raises(ColumnProblem) as caught:
        resolve_columns(table(columns), TASKS[task], given)
    assert caught.value.code == code


def test_no_column_repeats_what_the_reader_noticed():
    notes = (Text("The sheet 'Notes' was read; there are also 'Data'.", "读取了工作表 'Notes'，另有 'Data'。"),)
    read = table({"note": ENGLISH})
    read = dataclasses.replace(read, source=dataclasses.replace(read.source, notes=notes))
    with pytest.raises(ColumnProblem) as caught:
        resolve_columns(read, TASKS["classification"], {})
    assert "'Data'" in caught.value.hint.en and "另有 'Data'" in caught.value.hint.zh


def test_a_test_file_with_other_names_is_mapped_by_itself():
    tables = {
        "train": table({"text": sixty(ENGLISH), "label": sixty(LABELS)}),
        "test": table({"sentence": sixty(CHINESE), "label": sixty(LABELS)}),
    }
    assert resolve_tables(tables, TASKS["classification"], {})["test"] == {"text": "sentence", "label": "label"}


def test_long_digits_are_looked_at_in_no_time():
    cells = ["1" * 190 + "!" for _ in range(300)]
    assert (
        guess_columns(table({"text": cells, "label": ["a", "b", "c"] * 100}), TASKS["classification"])["label"]
        == "label"
    )
