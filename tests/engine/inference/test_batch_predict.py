"""A file of texts in, a file of answers out. Run: python -m pytest tests/engine/inference/test_batch.py"""

from __future__ import annotations

import csv
from types import SimpleNamespace

import pandas
import pytest

from engine.core.errors import ColumnProblem, FileProblem
from engine.data.load import read_table
from engine.inference.batch_predict import check_output, defused, predict_table, text_columns, write_predictions
from engine.tasks import TASKS
from engine.tasks.classification.decode import Classes
from engine.tasks.model import task_model


class Echo:
    """Stands for a predictor: the answer is the first letter of the text."""

    task = task_model(TASKS["classification"])
    outputs = Classes(["a", "b"])

    description = SimpleNamespace(columns={"text": "review", "label": "verdict"})

    def predict(self, rows, base=False, progress=None):
        return [
            {"label": row["text"][0], "confidence": 0.75, "probabilities": {"a": 0.75, "b": 0.25}, "windows": 1}
            for row in rows
        ]


def table(tmp_path, text: str):
    path = tmp_path / "in.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path)


def table_text(path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_answers_stand_beside_their_rows(tmp_path):
    frame = predict_table(Echo(), table(tmp_path, "id,review\n1,alpha\n2,\n3,beta\n"))
    assert frame["prediction"].tolist() == ["a", None, "b"]
    assert frame["confidence"].tolist() == [0.75, None, 0.75]
    assert list(frame.columns) == ["id", "review", "prediction", "confidence", "p:a", "p:b"]


def test_a_column_of_the_person_is_never_replaced(tmp_path):
    frame = predict_table(Echo(), table(tmp_path, "review,prediction\nalpha one two,mine\n"))
    assert frame["prediction"].tolist() == ["mine"]
    assert frame["prediction_2"].tolist() == ["a"]


def test_one_column_is_the_text_whatever_its_name(tmp_path):
    assert predict_table(Echo(), table(tmp_path, "zzz\nalpha\n"))["prediction"].tolist() == ["a"]


def test_a_place_that_cannot_be_written_is_told_before_any_answer(tmp_path):
    for path in (tmp_path / "missing" / "out.csv", tmp_path / "out.pdf", tmp_path):
        with pytest.raises(FileProblem):
            check_output(path)
    check_output(tmp_path / "out.csv")
    with pytest.raises(FileProblem, match="missing"):
        write_predictions(pandas.DataFrame({"a": [1]}), tmp_path / "missing" / "out.csv")


def test_columns_are_those_of_training_or_the_guess(tmp_path):
    predictor = Echo()
    assert text_columns(predictor, table(tmp_path, "id,review\n1,x\n"), {}) == {"text": "review"}
    with pytest.raises(ColumnProblem, match="number"):
        text_columns(predictor, table(tmp_path, "id,number\n1,3\n2,4\n"), {})


def test_lists_are_written_as_json(tmp_path):
    frame = pandas.DataFrame({"spans": [[{"label": "人", "start": 0}]], "n": [1]})
    write_predictions(frame, tmp_path / "out.csv")
    assert table_text(tmp_path / "out.csv") == [["spans", "n"], ['[{"label": "人", "start": 0}]', "1"]]


def test_a_named_column_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ColumnProblem, match="review"):
        predict_table(Echo(), table(tmp_path, "id,review\n1,alpha\n"), {"text": "revew"})


def test_formulas_are_defused(tmp_path):
    frame = pandas.DataFrame({"=cmd": ["=1+1", "+2", "-3", "@x", "\tq", "plain", None], "n": range(7)})
    safe = defused(frame)
    assert list(safe.columns) == ["'=cmd", "n"]
    assert safe.iloc[:, 0].tolist()[:6] == ["'=1+1", "'+2", "'-3", "'@x", "'\tq", "plain"]
    write_predictions(frame, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row[0] for row in csv.reader(file)][:3] == ["'=cmd", "'=1+1", "'+2"]


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.jsonl", "out.xlsx"])
def test_what_is_written_can_be_read_again(tmp_path, name):
    frame = pandas.DataFrame({"text": ["你好，世界", 'a "quoted"\nline'], "prediction": ["x", "y"]})
    write_predictions(frame, tmp_path / name)
    again = read_table(tmp_path / name)
    assert again.frame["text"].tolist() == frame["text"].tolist()


def test_an_unknown_ending_is_told(tmp_path):
    with pytest.raises(FileProblem, match="pickle"):
        write_predictions(pandas.DataFrame({"a": [1]}), tmp_path / "out.pickle")
