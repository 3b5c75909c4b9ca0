"""One way to a data set: columns, fixes and model are decided once, for the check and the run alike.

Run: python -m pytest tests/engine/data/test_dataset.py
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.assets import catalogue
from engine.config import RunConfig
from engine.core.settings import Settings
from engine.data import dataset as dataset_module
from engine.data.config import DataConfig
from engine.data.dataset import load_dataset
from engine.data.load import read_tables
from engine.run_directory.store import Store
from engine.tasks import TASKS
from engine.training.data_check import check_config
from engine.training.events import EventLog
from engine.training.prepare import prepare

CLASSIFICATION = TASKS["classification"]


@pytest.fixture
def deployment(tmp_path):
    return Settings(cache_dir=Settings.from_env().cache_dir, runs_dir=tmp_path / "runs")


@pytest.fixture
def misleading(monkeypatch):
    """An embedded example whose catalogue names other columns than would be guessed."""
    example = catalogue.EXAMPLES["help-desk-en"]
    tables = read_tables(DataConfig(example="help-desk-en"), CLASSIFICATION, Settings.from_env())
    frame = tables["train"].frame
    frame["note"] = frame["text"].str.upper()
    columns = {"text": "note", "label": example.columns["label"]}
    monkeypatch.setitem(catalogue.EXAMPLES, "help-desk-en", replace(example, columns=columns))
    monkeypatch.setattr(dataset_module, "read_tables", lambda *_, **__: tables)
    return columns


def test_check_and_run_map_an_example_with_the_columns_of_the_catalogue(misleading, deployment):
    config = RunConfig.from_dict({"data": {"example": "help-desk-en"}})
    assert check_config(config, deployment).columns["train"] == misleading
    run = Store(deployment.runs_dir).create(config)
    ready = prepare(run, config, deployment, EventLog(run.path("events.jsonl")))
    assert ready.columns == misleading
    assert all(row.inputs["text"].isupper() for row in ready.splits.train[:20])


def test_columns_that_were_configured_come_before_those_of_the_catalogue(misleading, deployment):
    data = DataConfig(example="help-desk-en", columns={"text": "text"})
    assert load_dataset(data, CLASSIFICATION, "auto", deployment).columns["train"]["text"] == "text"


def write(path, rows):
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
    return str(path)


def test_the_model_is_decided_once_and_has_a_reason(tmp_path, deployment):
    train = write(tmp_path / "train.csv", [(f"第{i}个商品的按钮坏了", i % 2) for i in range(30)])
    dataset = load_dataset(DataConfig(train=train), CLASSIFICATION, "auto", deployment)
    assert dataset.model == "e5-small" and "e5" in dataset.model_reason.en.lower()
    other = dataset.with_model("somebody/a-model")
    assert (other.model, other.model_reason) == ("somebody/a-model", None)
    assert other.examples is dataset.examples


def test_targets_of_all_tables_have_one_form_and_fixes_are_noted(tmp_path, deployment):
    train = write(tmp_path / "train.csv", [("one", "a;b"), ("one", "a;b"), ("two", "b")])
    test = write(tmp_path / "test.csv", [("three", "a")])
    data = DataConfig(train=train, test=test, label_separator=";", fixes=["drop_duplicates"])
    dataset = load_dataset(data, CLASSIFICATION, "minilm", deployment)
    assert [row.target for row in dataset.examples["train"]] == [("a", "b"), ("b",)]
    assert [row.target for row in dataset.examples["test"]] == [("a",)]
    assert [notice.code for notice in dataset.fixes] == ["fixed_drop_duplicates"]
    assert set(dataset.tables) == set(dataset.columns) == {"train", "test"}
