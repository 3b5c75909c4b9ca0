"""What tasks say of tables and rows. Run: python -m pytest tests/engine/tasks/test_task_spec.py"""

from __future__ import annotations

import subprocess
import sys
from types import MappingProxyType

import pytest

from engine.config import RunConfig
from engine.core.errors import ConfigProblem
from engine.core.text import Text
from engine.data.config import DataConfig
from engine.data.split import split
from engine.evaluation import metric_format
from engine.evaluation.metric_format import MetricWords
from engine.schema import Example, Role
from engine.tasks import TASKS, task_named
from engine.tasks.spec import EncoderSpec
from engine.tasks.task_defaults import TaskHyperparameters


class PairSpec(EncoderSpec):
    """Whether two places of a sentence belong together: inputs that are no strings."""

    name = "pair"
    label = Text("Pair", "成对")
    roles = tuple(Role(name, Text(name, name), Text("", "")) for name in ("text", "head", "tail", "label"))
    inputs = ("text", "head", "tail")
    text_role = "text"
    target_role = "label"
    metrics = plotted_metrics = ("accuracy",)
    hyperparameters = TaskHyperparameters(learning_rates={"full": 1e-4}, epochs=lambda rows, labels, method: 1.0)

    def guess(self, table, given):
        return {}

    def read(self, table, columns, data):
        return [], []


def place(start, end):
    return {"start": start, "end": end}


def pair(row, text, head, tail):
    return Example(row, {"text": text, "head": head, "tail": tail}, "related")


def test_two_entity_pairs_of_one_sentence_are_two_rows():
    spec = PairSpec()
    first = pair(1, "Ann met Bob in Rome", place(0, 3), place(8, 11))
    other = pair(2, "Ann met Bob in Rome", place(0, 3), place(15, 19))
    same = pair(3, "ann  met bob in rome", place(0, 3), place(8, 11))
    for key in (spec.identity, spec.leak_key):
        assert key(first) != key(other)
        assert key(first) == key(same)
        assert len({key(row) for row in (first, other, same)}) == 2, "hashable"
    assert spec.group(first) == spec.group(other), "one sentence stays on one side"


def test_pairs_of_one_sentence_stay_together_and_are_no_leak():
    rows = [pair(n, f"sentence {n // 2} of many", place(0, 8), place(n % 2, 12)) for n in range(80)]
    splits = split({"train": rows}, DataConfig(), 1, PairSpec())
    parts = [{row.inputs["text"] for row in part} for part in (splits.train, splits.validation, splits.test)]
    assert sum(map(len, parts)) == 40, "no sentence is in two sets"
    given = {"train": rows[::2], "test": rows[1::2]}
    assert [notice.code for notice in split(given, DataConfig(), 1, PairSpec()).notices] == []
    given = {"train": rows[::2], "test": rows[:4:2]}
    assert [notice.code for notice in split(given, DataConfig(), 1, PairSpec()).notices] == ["leakage"]


@pytest.mark.parametrize("name", ["relation", "", "Classification"])
def test_an_unknown_task_is_refused_everywhere(name):
    with pytest.raises(ConfigProblem) as caught:
        task_named(name)
    assert caught.value.code == "task_not_trainable"
    with pytest.raises(ConfigProblem):
        RunConfig.from_dict({"task": name, "data": {"example": "rated-sentences"}})


@pytest.mark.parametrize("spec", TASKS.values(), ids=TASKS)
def test_every_task_describes_itself(spec):
    names = {role.name for role in spec.roles}
    assert TASKS[spec.name] is spec
    assert {*spec.inputs, spec.text_role, spec.target_role, spec.row_role} <= names
    assert {*spec.alternative_roles, *spec.alternative_roles.values()} <= names
    assert spec.required_inputs and set(spec.required_inputs) <= set(spec.inputs)
    assert set(spec.plotted_metrics) <= set(spec.metrics)
    assert set(spec.methods) <= spec.hyperparameters.learning_rates.keys()


def test_specs_need_neither_torch_nor_transformers_nor_pandas():
    heavy = ("torch", "transformers", "pandas", "sklearn")
    code = f"import sys, engine.tasks; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_configuration_takes_its_tasks_from_the_registry(monkeypatch):
    values = {"task": "pair", "data": {"train": "a.csv"}}
    with pytest.raises(ConfigProblem, match="must be one of classification, ner, qa, summarization"):
        RunConfig.from_dict(values)
    monkeypatch.setitem(TASKS, "pair", PairSpec())
    monkeypatch.setattr(PairSpec, "methods", ("full",))
    monkeypatch.setattr(PairSpec, "default_settings", {"training": {"early_stopping": 7}})
    config = RunConfig.from_dict(values)
    assert config.spec is TASKS["pair"] and config.training.early_stopping == 7
    assert RunConfig.from_yaml(config.to_yaml()) == config
    for wrong, path in (
        ({"method": {"name": "lora"}}, "method.name"),
        ({"generation": {"beams": 4}}, "generation.beams"),
    ):
        with pytest.raises(ConfigProblem) as caught:
            RunConfig.from_dict({**values, **wrong})
        assert [problem["path"] for problem in caught.value.where["problems"]] == [path]


def test_a_metric_of_one_task_is_named_by_its_spec(monkeypatch):
    for known in ("METRICS", "METRIC_HELP"):
        monkeypatch.setattr(metric_format, known, dict(getattr(metric_format, known)))
    monkeypatch.setattr(metric_format, "SHARES", set(metric_format.SHARES))
    nearness = MetricWords(Text("nearness", "接近度"), Text("How near.", "有多接近。"), share=True)

    class Near(PairSpec):
        own_metrics = MappingProxyType({"nearness": nearness})

    assert metric_format.metric_name("nearness") == nearness.name
    assert metric_format.metric_help("nearness") == nearness.help
    assert metric_format.number("nearness", 0.5, 300) == "50.0%"
    with pytest.raises(ValueError, match="accuracy"):
        metric_format.add_metrics({"accuracy": nearness})
