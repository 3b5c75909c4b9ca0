"""Answers of a model folder. Run: python -m pytest tests/engine/inference/test_predictor.py"""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from engine.config import MethodConfig, RunConfig
from engine.core.errors import ColumnProblem, FileProblem, RunProblem
from engine.inference.predictor import Predictor, load_predictor
from engine.inference.saved import Description
from engine.inference.score_file import judge_file
from engine.models.adapters import apply_method, save_model
from engine.models.device import choose_device
from engine.tasks import TASKS
from engine.tasks.classification.decode import Classes
from engine.tasks.model import task_model

CLASSES = Classes(["bad", "good"])


@pytest.fixture(scope="module")
def folder(tiny_bert, tmp_path_factory):
    """A model folder as a run leaves it, untrained: its answers are arbitrary but fixed."""
    directory = tmp_path_factory.mktemp("model")
    loaded = task_model(TASKS["classification"]).load(str(tiny_bert), CLASSES, dropout=0.0)
    save_model(apply_method(loaded, MethodConfig(), True), loaded, directory)
    Description("classification", CLASSES.to_dict(), 16, "full", str(tiny_bert), columns={"text": "text"}).save(
        directory
    )
    return directory


@pytest.fixture
def predictor(folder) -> Predictor:
    return load_predictor(folder, choose_device("cpu", "fp32"))


def test_an_answer_has_every_label_likeliest_first(predictor):
    [answer] = predictor.predict(["good film"])
    assert answer["label"] == next(iter(answer["probabilities"]))
    assert answer["confidence"] == max(answer["probabilities"].values())
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert answer["windows"] == 1


def test_many_answers_are_those_of_one_at_a_time(predictor):
    texts = [" ".join(["good", "film"] * n) for n in (1, 30, 2, 7, 100)]
    together = [answer["probabilities"]["good"] for answer in predictor.predict(texts)]
    alone = [predictor.predict([text])[0]["probabilities"]["good"] for text in texts]
    assert np.allclose(together, alone, atol=1e-5)


def test_a_long_text_is_read_in_windows(predictor):
    [answer] = predictor.predict(["good film " * 40])
    # 80 tokens in windows of 14 and 2 special ones, each repeating 4 of the one before.
    assert answer["windows"] == 8


def test_no_rows_no_answers(predictor):
    assert predictor.predict([]) == []


def test_a_row_without_its_text_is_named(predictor):
    with pytest.raises(ColumnProblem) as caught:
        predictor.predict(["good", {"body": "x"}])
    assert caught.value.where["row"] == 2


def test_personal_data_is_masked_where_training_masked_it(folder, predictor, monkeypatch):
    seen: list[str] = []
    real = predictor.task.encode

    def watch(examples, *args, **kwargs):
        seen.extend(example.inputs["text"] for example in examples)
        return real(examples, *args, **kwargs)

    monkeypatch.setattr(predictor.task, "encode", watch)
    predictor.predict(["write to someone@example.org"])
    predictor.description = dataclasses.replace(predictor.description, masked=True)
    predictor.predict(["write to someone@example.org"])
    assert seen == ["write to someone@example.org", "write to [EMAIL]"]


def test_a_folder_without_a_model_says_so(tmp_path):
    with pytest.raises(RunProblem) as caught:
        load_predictor(tmp_path)
    assert caught.value.code == "no_model"


def test_without_centroids_the_untuned_model_cannot_answer(predictor):
    with pytest.raises(FileProblem):
        predictor.predict(["good"], base=True)


def test_another_file_is_judged_with_what_was_left_out_said(predictor, tmp_path):
    path = tmp_path / "labelled.csv"
    path.write_text("text,label\ngood film,good\nbad plot,bad\nfine cast,Good\n,good\n")
    judged = judge_file(predictor, path, RunConfig())
    assert judged["rows"] == 3
    messages = {notice["code"]: notice for notice in judged["notices"]}
    assert set(messages) == {"empty_text", "unknown_labels"}
    assert messages["unknown_labels"]["count"] == 1 and "'Good'" in messages["unknown_labels"]["message"]["zh"]


def test_another_file_is_mapped_as_in_training(predictor, tmp_path):
    path = tmp_path / "labelled.csv"
    lines = [f"a note about the order,good film number {i},{'good' if i % 2 else 'bad'}\n" for i in range(30)]
    path.write_text("comment,text,label\n" + "".join(lines))
    messages = predictor.predict([f"good film number {i}" for i in range(30)])
    right = sum(answer["label"] == ("good" if i % 2 else "bad") for i, answer in enumerate(messages))
    assert judge_file(predictor, path, RunConfig())["test"]["accuracy"] == pytest.approx(right / 30)


def test_what_a_newer_version_describes_is_kept(tmp_path):
    Description("classification", CLASSES.to_dict(), 16, "full", "minilm").save(tmp_path)
    path = tmp_path / "tunebench.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "probe": {"layer": 3}}))
    description = Description.load(tmp_path)
    dataclasses.replace(description, max_length=32).save(tmp_path)
    written = json.loads(path.read_text())
    assert written["probe"] == {"layer": 3} and written["max_length"] == 32 and "extra" not in written
