"""One description of a run, every mistake in it told at once. Run: python -m pytest tests/engine/test_config.py"""

from __future__ import annotations

import dataclasses
import typing

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.config import RunConfig, with_defaults
from engine.core.errors import ConfigProblem, FileProblem
from engine.core.options import Option, read, walk_options
from engine.tasks import TASKS

GOOD = {"task": "classification", "data": {"train": "a.csv"}}


def problems_of(values) -> dict[str, str]:
    with pytest.raises(ConfigProblem) as caught:
        RunConfig.from_dict(values)
    assert caught.value.exit_code == 2
    return {p["path"]: p["message"]["en"] for p in caught.value.where["problems"]}


def test_every_problem_is_reported_at_once_with_its_path():
    result = problems_of(
        {
            "task": "clasification",
            "data": {"train": 3},
            "model": {"max_length": "long"},
            "training": {"epochs": -1, "lerning_rate": 1e-4, "warmup": 2},
        }
    )
    assert set(result) == {
        "task",
        "data.train",
        "model.max_length",
        "training.epochs",
        "training.lerning_rate",
        "training.warmup",
    }
    assert "Did you mean classification?" in result["task"]
    assert "Did you mean learning_rate?" in result["training.lerning_rate"]
    assert "(0, 1000]" in result["training.epochs"]


def test_numbers_written_in_yaml_without_a_point_are_numbers():
    config = RunConfig.from_yaml("task: classification\ndata: {train: a.csv}\ntraining: {learning_rate: 1e-4}")
    assert config.training.learning_rate == 1e-4


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "nan"])
def test_a_number_that_is_none_is_out_of_range(value):
    assert "training.learning_rate" in problems_of({**GOOD, "training": {"learning_rate": value}})


def test_true_is_no_number():
    assert "seed" in problems_of({**GOOD, "seed": True})


def test_exactly_one_source_of_data():
    assert "data.train" in problems_of({"task": "classification"})
    assert "data.train" in problems_of({"data": {"train": "a.csv", "example": "rated-sentences"}})


def test_shares_must_leave_rows_to_train_on():
    assert "data.test_share" in problems_of({"data": {"train": "a", "test_share": 0.5, "validation_share": 0.5}})


def test_yaml_that_is_none_names_line_and_column():
    with pytest.raises(FileProblem) as caught:
        RunConfig.from_yaml("task: classification\ndata: {train: a.csv\nseed: 1", source="my.yaml")
    assert caught.value.where["file"] == "my.yaml"
    assert caught.value.where["row"] == 3


def test_a_list_instead_of_a_mapping_is_told():
    assert "(file)" in problems_of([1, 2])


@given(
    st.builds(
        dict,
        epochs=st.floats(0.01, 1000),
        learning_rate=st.none() | st.floats(1e-8, 10),
        batch_size=st.none() | st.integers(1, 4096),
        class_weights=st.booleans(),
    ),
    st.text(max_size=30),
    st.dictionaries(st.sampled_from(["text", "label"]), st.text(min_size=1, max_size=20)),
)
def test_yaml_goes_both_ways(training, name, columns):
    config = RunConfig.from_dict({**GOOD, "name": name, "training": training})
    config.data.columns = columns
    assert RunConfig.from_yaml(config.to_yaml()) == config


@pytest.mark.parametrize("name", ["\x85", "a\u2028b", "a\u2029 b\x85", "line\r\nbreak", "\ufeff", " blank "])
def test_line_breaks_of_unicode_survive_yaml(name):
    config = RunConfig.from_dict({**GOOD, "name": name})
    assert RunConfig.from_yaml(config.to_yaml()).name == name


def test_every_field_has_a_label_and_help_in_both_languages():
    described = list(walk_options(RunConfig))
    assert len(described) > 40
    for path, _, option in described:
        for text in (option.label, option.help):
            assert text.en.strip() and text.zh.strip(), path
        if option.help.en != option.help.zh:
            assert any("\u4e00" <= c <= "\u9fff" for c in option.help.zh), path


def test_every_default_is_within_its_own_range():
    config = RunConfig()
    config.data.train = "a.csv"
    assert config.validate() == []


def test_walk_covers_every_field_of_every_section():
    leaves = sum(
        len(dataclasses.fields(getattr(RunConfig(), f.name)))
        if dataclasses.is_dataclass(getattr(RunConfig(), f.name))
        else 1
        for f in dataclasses.fields(RunConfig)
    )
    assert len(list(walk_options(RunConfig))) == leaves


def test_a_task_has_defaults_and_methods_of_its_own():
    writing = RunConfig.from_dict({"task": "summarization", "data": {"train": "a.csv"}})
    assert (writing.model.id, writing.method.name) == ("auto", "lora")
    assert RunConfig.from_yaml(writing.to_yaml()) == writing
    chosen = RunConfig.from_dict(
        {"task": "summarization", "data": {"train": "a.csv"}, "model": {"id": "t5-small"}, "method": {"name": "ia3"}}
    )
    assert (chosen.model.id, chosen.method.name) == ("t5-small", "ia3")
    assert RunConfig.for_task("classification") == RunConfig()


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"task": "summarization", "method": {"name": "head"}}, "method.name"),
        ({"task": "classification", "method": {"name": "prefix"}}, "method.name"),
        ({"task": "ner", "method": {"name": "ia3"}}, "method.name"),
        ({"task": "classification", "generation": {"beams": 4}}, "generation.beams"),
        ({"task": "summarization", "training": {"class_weights": True}}, "training.class_weights"),
        ({"task": "summarization", "method": {"name": "full", "four_bit": True}}, "method.four_bit"),
        (
            {"task": "summarization", "method": {"name": "prefix"}, "training": {"gradient_checkpointing": True}},
            "training.gradient_checkpointing",
        ),
    ],
)
def test_what_does_not_go_together_is_told(values, path):
    with pytest.raises(ConfigProblem) as caught:
        RunConfig.from_dict({"data": {"train": "a.csv"}, **values})
    assert [problem["path"] for problem in caught.value.where["problems"]] == [path]


def _values_of(path: str, hint: object, option: Option, default: object) -> list[object]:
    """Values that a field may have: its own default, and another one of its type within its range."""
    kinds = typing.get_args(hint) or (hint,)
    if option.choices:
        return [default, *option.choices]
    if bool in kinds:
        return [default, True, False]
    if int in kinds or float in kinds:
        low = 0 if option.low is None else option.low
        high = low + 10 if option.high is None else option.high
        between = (low + min(high, low + 4)) / 2
        return [default, int(between) + 1 if int(between) + 1 <= high and float not in kinds else between]
    if typing.get_origin(hint) is list:
        return [default, ["one", "two"]]
    if typing.get_origin(hint) is dict:
        return [default, {"text": "a column"}]
    return [default, "a text"]


@pytest.mark.parametrize("task", TASKS)
def test_every_field_of_every_task_goes_to_yaml_and_back(task):
    hints = {path: typing.get_type_hints(_owner(path))[field.name] for path, field, _ in walk_options(RunConfig)}
    checked = 0
    for path, field, option in walk_options(RunConfig):
        if path == "task":
            continue
        default = getattr(_section(RunConfig(), path), field.name)
        for value in _values_of(path, hints[path], option, default):
            config = RunConfig.for_task(task)
            setattr(_section(config, path), field.name, value)
            values = yaml.safe_load(config.to_yaml())
            assert read(RunConfig, with_defaults(values), []) == config, (path, value)
            checked += 1
    assert checked > 100


def _section(config: object, path: str) -> object:
    for name in path.split(".")[:-1]:
        config = getattr(config, name)
    return config


def _owner(path: str) -> type:
    return type(_section(RunConfig(), path))
