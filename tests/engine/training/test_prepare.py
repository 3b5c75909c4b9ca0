"""What a run takes of its data, and what it records. Run: python -m pytest tests/engine/training/test_prepare.py"""

from __future__ import annotations

import json

import pytest

from engine.assets import EXAMPLES
from engine.config import RunConfig
from engine.core.settings import Settings
from engine.data.dataset import Dataset
from engine.run_directory.store import Store
from engine.schema import Example
from engine.tasks import TASKS
from engine.training.data_check import check_config
from engine.training.events import EventLog
from engine.training.prepare import prepare, sample_of_example

ROWS = [Example(number, {"text": "x" * (number % 100)}, ()) for number in range(5000)]


def sampled(rows=ROWS, **data):
    config = RunConfig.from_dict({"task": "ner", "data": data})
    return sample_of_example(Dataset(TASKS["ner"], {}, {}, {"train": rows}), config)


def test_a_large_example_is_sampled_and_that_is_said():
    expected, (low, high) = EXAMPLES["peoples-daily-ner"].sample, EXAMPLES["peoples-daily-ner"].sampled_lengths
    rows, (notice,) = sampled(example="peoples-daily-ner")
    assert len(rows) == expected and len({row.row for row in rows}) == expected
    assert all(low <= len(row.inputs["text"]) <= high for row in rows)
    assert f"{low} to {high} characters" in notice.message.en
    assert notice.code == "example_sampled" and "5,000" in notice.message.en and "5,000" in notice.message.zh
    assert sampled(example="peoples-daily-ner")[0] == rows


def test_who_says_how_many_rows_gets_them_and_own_tables_are_never_sampled():
    assert sampled(example="peoples-daily-ner", max_train_rows=3000) == (ROWS, [])
    assert sampled(train="mine.csv") == (ROWS, [])
    assert sampled(ROWS[:100], example="peoples-daily-ner") == (ROWS[:100], [])
    assert sampled(example="help-desk-entities-en") == (ROWS, [])


def test_fewer_fitting_rows_than_the_sample_are_all_taken():
    low = EXAMPLES["peoples-daily-ner"].sampled_lengths[0]
    fitting = [Example(number, {"text": "x" * low}, ()) for number in range(5)]
    rows, _ = sampled([*[Example(9, {"text": ""}, ())] * 1000, *fitting], example="peoples-daily-ner")
    assert rows == fitting


@pytest.fixture
def deployment(tmp_path):
    return Settings(cache_dir=Settings.from_env().cache_dir, runs_dir=tmp_path / "runs")


def prepared(deployment, config):
    run = Store(deployment.runs_dir).create(config)
    return run, prepare(run, config, deployment, EventLog(run.path("events.jsonl")))


def resumed(run, config, deployment):
    """The model of a run that goes on from what it recorded."""
    again = prepare(run, config, deployment, EventLog(run.path("events.jsonl")))
    return again.model, again.model_reason


def configured(path, **data):
    return RunConfig.from_dict({"data": {"train": str(path), **data}})


def test_the_run_trains_the_model_that_the_check_named(tmp_path, deployment):
    """The training rows of this run are a fourth Chinese, its table less than a tenth."""
    rows = [(f"the parcel number {i} has not arrived yet", "late") for i in range(95)]
    rows += [(f"第{i}个商品的按钮坏了，我想要退货", "broken") for i in range(8)]
    path = tmp_path / "train.csv"
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
    config = configured(path, max_train_rows=4)
    run, ready = prepared(deployment, config)
    assert ready.model == check_config(config, deployment).model == "minilm"
    assert ready.model_reason is not None
    assert resumed(run, config, deployment) == (ready.model, ready.model_reason)


def test_a_run_recorded_before_models_were_still_resumes(tmp_path, deployment):
    path = tmp_path / "train.csv"
    path.write_text("text,label\n" + "".join(f"a message about topic {i},{i % 2}\n" for i in range(60)))
    config = configured(path)
    run, ready = prepared(deployment, config)
    record = run.path("data", "prepared.json")
    values = json.loads(record.read_text(encoding="utf-8"))
    record.write_text(json.dumps({name: values[name] for name in ("columns", "facts", "notices")}), encoding="utf-8")
    assert resumed(run, config, deployment) == (ready.model, ready.model_reason)


@pytest.mark.parametrize(
    ("example", "sha256"),
    [
        ("help-desk-en", "553b5eda972bdf58a1ed577804a79f0ab0e0207164f2f3e2c965b21687a7c9fd"),
        ("help-desk-entities-en", "e83901c92152c23df59b0de51c497549af46bd3a47a9c0a2b675515409039376"),
        ("help-desk-questions-zh", "308dae9b1af46d4e02cb83b34066b795506176e6e2d7349c5b97284bedae383c"),
        ("help-desk-summaries-en", "5b2051333b319a08a3a97c54781dfe5e1e2d7f7a3f25dfb8f7bf36d41a9e9ade"),
    ],
)
def test_the_same_seed_gives_the_same_rows_as_in_every_version(example, sha256, deployment):
    config = RunConfig.from_dict({"task": EXAMPLES[example].task, "data": {"example": example}})
    assert prepared(deployment, config)[1].facts["data_sha256"] == sha256
