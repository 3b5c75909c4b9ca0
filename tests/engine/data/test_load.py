"""Reading files: limits, messages, and the tables of a run.

Run: python -m pytest tests/engine/data/test_load.py
"""

from __future__ import annotations

import zipfile

import pytest

from engine.config import DataConfig
from engine.core.errors import ConfigProblem, FileProblem
from engine.core.settings import Settings
from engine.data.limits import MEGABYTE, Limits
from engine.data.load import read_table, read_tables
from engine.tasks import TASKS

ROWS = "text,label\ngood,pos\nbad,neg\n"


@pytest.fixture
def deployment(tmp_path):
    return Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs")


def refusal(path, **options) -> FileProblem:
    with pytest.raises(FileProblem) as caught:
        read_table(path, **options)
    return caught.value


def test_missing_file_and_folder_are_told_apart(tmp_path):
    assert refusal(tmp_path / "none.csv").code == "file_not_found"
    assert refusal(tmp_path).code == "is_folder"


def test_limits_are_inclusive(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(ROWS)
    size = path.stat().st_size
    assert len(read_table(path, limits=Limits(max_file_bytes=size, max_rows=2, max_columns=2, max_cell_chars=4))) == 2
    assert refusal(path, limits=Limits(max_file_bytes=size - 1)).code == "file_too_large"
    assert refusal(path, limits=Limits(max_rows=1)).code == "too_many_rows"
    assert refusal(path, limits=Limits(max_columns=1)).code == "too_many_columns"
    assert refusal(path, limits=Limits(max_cell_chars=3)).where["row"] == 2


def test_limits_follow_the_deployment(deployment):
    assert Limits.from_settings(deployment).max_file_bytes == 200 * MEGABYTE


def test_what_was_sniffed_can_be_overridden(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a;b,c;d\n1;2,3;4\n")
    assert read_table(path, delimiter=";").columns == ["a", "b,c", "d"]
    assert read_table(path, delimiter=",").columns == ["a;b", "c;d"]
    assert refusal(path, delimiter="ab").code == "bad_delimiter"


def test_ragged_rows_say_how_many_and_how_wide(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\ngood,pos\nwell, well,pos\nno, no, no,neg\n")
    problem = refusal(path)
    assert "line 3: 3 fields found, 2 expected. 1 more line has" in problem.message.en
    assert "第 3 行：有 3 个字段，应为 2 个" in problem.message.zh


def test_sheet_choice(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "One"
    book.active.append(["text", "label"])
    book.active.append(["good", 1])
    other = book.create_sheet("Two")
    other.append(["body", "class"])
    other.append(["bad", 0])
    path = tmp_path / "a.xlsx"
    book.save(path)
    first = read_table(path)
    assert first.columns == ["text", "label"]
    assert "'Two'" in first.source.notes[0].en
    assert read_table(path, sheet="Two").columns == ["body", "class"]
    problem = refusal(path, sheet="Three")
    assert problem.code == "no_such_sheet"
    assert "'One', 'Two'" in problem.message.en


def test_hub_class_names_replace_numbers(tmp_path):
    import datasets

    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=["O", "B-PER"])),
            "label": datasets.ClassLabel(names=["neg", "pos"]),
        }
    )
    rows = {"tokens": [["Ann", "ran"]], "ner_tags": [[1, 0]], "label": [1]}
    path = tmp_path / "a.parquet"
    datasets.Dataset.from_dict(rows, features=features).to_parquet(path)
    table = read_table(path)
    assert table.frame["ner_tags"][0] == ["B-PER", "O"]
    assert table.frame["label"][0] == "pos"


def test_tables_of_a_run_from_files(tmp_path, deployment):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(ROWS)
    tables = read_tables(
        DataConfig(train=str(tmp_path / "a.csv"), test=str(tmp_path / "b.csv")), TASKS["classification"], deployment
    )
    assert list(tables) == ["train", "test"]
    assert tables["test"].source.name == "b.csv"


def test_one_archive_may_hold_all_three(tmp_path, deployment):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as target:
        for member in ("data/train.csv", "data/dev.csv", "data/my_test.csv"):
            target.writestr(member, ROWS.replace("good", member))
    tables = read_tables(DataConfig(train=str(path)), TASKS["classification"], deployment)
    assert {split: table.frame["text"][0] for split, table in tables.items()} == {
        "train": "data/train.csv",
        "validation": "data/dev.csv",
        "test": "data/my_test.csv",
    }
    own = tmp_path / "own.csv"
    own.write_text(ROWS)
    tables = read_tables(DataConfig(train=str(path), test=str(own)), TASKS["classification"], deployment)
    assert tables["test"].frame["text"][0] == "good"
    assert refusal(path).code == "several_tables"


def test_one_json_file_may_hold_all_splits(tmp_path, deployment):
    path = tmp_path / "a.json"
    path.write_text('{"train": [{"text": "a", "label": "x"}], "test": [{"text": "b", "label": "y"}]}')
    tables = read_tables(DataConfig(train=str(path)), TASKS["classification"], deployment)
    assert {split: list(table.frame["text"]) for split, table in tables.items()} == {"train": ["a"], "test": ["b"]}


def test_numbered_references_are_joined_for_summarization_only(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"dialogue": "long", "summary1": "a", "summary2": "b", "topic1": "t", "topic2": "u"}\n')
    assert read_table(path, task=TASKS["summarization"]).frame["summary"][0] == ["a", "b"]
    assert "summary1" in read_table(path, task=TASKS["classification"]).columns


def test_no_data_is_a_problem_of_the_configuration(deployment):
    with pytest.raises(ConfigProblem):
        read_tables(DataConfig(), TASKS["classification"], deployment)


def test_one_token_a_row_is_joined_by_sentence(tmp_path):
    path = tmp_path / "ner.csv"
    path.write_text("Sentence #,Word,POS,Tag\nSentence: 1,Ann,NNP,B-per\n,ran,VBD,O\nSentence: 2,Rome,NNP,B-geo\n")
    table = read_table(path, task=TASKS["ner"])
    assert list(table.frame["tokens"]) == [["Ann", "ran"], ["Rome"]]
    assert list(table.frame["tags"]) == [["B-per", "O"], ["B-geo"]]
    assert table.lines == [2, 4]
    assert read_table(path, task=TASKS["classification"]).columns == ["Sentence #", "Word", "POS", "Tag"]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('text,label\n"good,\nall in all",pos\n\nbad,neg\n')
    assert read_table(path).lines == [2, 4]
    path.write_text('text,label\n"good,\nall in all",pos\nbad\n')
    with pytest.raises(FileProblem, match="line 4: 1 field found"):
        read_table(path)
    # The line that tells Excel the delimiter is none of its rows.
    path.write_text("sep=;\ntext;label\ngood;pos\nbad;neg\n")
    assert read_table(path).lines == [2, 3]
    path.write_text("sep=;\ntext;label\ngood;pos\nbad\n")
    with pytest.raises(FileProblem, match="line 4: 1 field found"):
        read_table(path)


def test_title_lines_above_a_table_are_skipped(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Export of 2026-11-23\n\ntext,label\ngood,pos\nbad,neg\n")
    table = read_table(path)
    assert (table.columns, table.lines) == (["text", "label"], [4, 5])
    assert "skipped: 1" in table.source.notes[0].en


def test_one_column_whose_cells_all_hold_one_comma(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text\n" + "well, fine\n" * 50)
    table = read_table(path)
    assert (table.columns, table.frame["text"][0]) == (["text"], "well, fine")


def test_a_chinese_excel_export_needs_no_setting(tmp_path, deployment):
    """Saved by Excel in China: gb18030, semicolons or commas, numbers and dates beside the text."""
    from engine.data.columns import resolve_tables
    from engine.data.examples import read_examples
    from engine.data.split import split

    lines = ["序号,评论时间,用户名,评论内容,情感"]
    for i in range(60):
        text = f'"{"很喜欢" if i % 2 else "不满意"}，第{i}次购买，快递{"很快" if i % 3 else "太慢"}"'
        lines.append(f"{i + 1},2026/3/{i % 28 + 1} 10:{i:02d},用户{i},{text},{'好评' if i % 2 else '差评'}")
    path = tmp_path / "评论.csv"
    path.write_bytes("\r\n".join(lines).encode("gb18030"))
    data = DataConfig(train=str(path))
    tables = read_tables(data, TASKS["classification"], deployment)
    assert tables["train"].source.encoding == "gb18030"
    columns = resolve_tables(tables, TASKS["classification"], {})["train"]
    assert columns == {"text": "评论内容", "label": "情感"}
    examples, notices = read_examples(tables["train"], TASKS["classification"], columns, data)
    splits = split({"train": examples}, data, 42, TASKS["classification"])
    assert notices == splits.notices == []
    assert splits.sizes() == {"train": 36, "validation": 4, "test": 20}


def test_label_studio_choices_texts_and_empty_values(tmp_path):
    import json

    def task(text, *results):
        return {
            "data": {"text": text},
            "annotations": [{"was_cancelled": True, "result": []}, {"result": list(results)}],
        }

    tasks = [
        task(
            "one",
            {"type": "choices", "value": {"choices": ["pos"]}},
            {"type": "textarea", "value": {"text": ["short"]}},
        ),
        task("two", {"type": "choices", "value": {"choices": ["pos", "new"]}}, {"type": "textarea", "value": None}),
        task("three", {"type": "choices", "value": {"choices": None}}),
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(tasks))
    table = read_table(path)
    assert list(table.frame["label"]) == ["pos", ["pos", "new"], None]
    assert list(table.frame["summary"]) == ["short", None, None]
