"""Every task gives what the protocols ask for, before any model is trained. Run: python -m pytest tests/contract/test_protocol.py"""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo.tabs import TABS
from engine.config import RunConfig
from engine.core.options import walk_options
from engine.core.text import Text
from engine.data.config import DataConfig
from engine.data.dataset import dataset_of
from engine.data.fixes import apply_fixes, fixes_for
from engine.data.load import read_table
from engine.data.split import split
from engine.evaluation.metric_format import METRICS
from engine.export.bundled_modules import closure
from engine.schema import ENCODER, GENERATIVE, Example
from engine.tasks import TASKS, task_named
from engine.tasks.generative import GenerativeTask
from engine.tasks.model import EncoderTask, TaskModel, task_model
from engine.tasks.spec import TaskSpec
from tests.contract.conftest import NAMES, TABLES, TOY


@pytest.fixture(scope="module")
def examples(task: TaskSpec, tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    table, model, _ = TABLES[task.name](tmp_path_factory.mktemp(task.name))
    data = DataConfig(train=str(table))
    return dataset_of({"train": read_table(table, task=task)}, data, task, str(model)).examples["train"]


def both(text: Text) -> bool:
    return bool(text.en) and any("\u4e00" <= character <= "\u9fff" for character in text.zh)


def test_the_toy_task_is_known_while_its_fixture_lasts(toy: None) -> None:
    assert list(TASKS) == list(TABS) == NAMES and task_named(TOY).name == TOY


def test_its_spec_is_complete(task: TaskSpec) -> None:
    for name in (name for kind in type(task).__mro__ for name in inspect.get_annotations(kind)):
        assert hasattr(task, name), name
    roles = {role.name for role in task.roles}
    assert set(task.inputs) <= roles and {task.text_role, task.target_role, task.row_role} <= roles
    assert task.optional_inputs < set(task.inputs) and task.text_role in task.inputs
    assert task.kind in (ENCODER, GENERATIVE) and both(task.label)
    assert all(both(role.label) and both(role.help) for role in task.roles)
    assert set(task.plotted_metrics) <= set(task.metrics)
    assert set(task.methods) <= set(task.hyperparameters.learning_rates)
    for metric in task.metrics:
        assert metric in METRICS, f"{metric} has no name"
    for method in task.methods:
        assert task.hyperparameters.epochs(1000, 2, method) > 0


def test_its_model_fits_its_spec(task: TaskSpec) -> None:
    model = task_model(task)
    assert isinstance(model, {ENCODER: EncoderTask, GENERATIVE: GenerativeTask}[task.kind])
    assert model.spec.name == task.name and not vars(model), "instances hold no state"
    for name, member in inspect.getmembers(type(model), inspect.isfunction):
        assert "NotImplementedError" not in inspect.getsource(member), name
    for name, requests in inspect.getmembers(TaskModel, inspect.isfunction):
        given, expected = (list(inspect.signature(one).parameters) for one in (getattr(type(model), name), requests))
        assert given[: len(expected)] == expected, f"{name} takes other parameters"


def test_its_keys_are_hashable_and_cover_what_is_read(task: TaskSpec, examples: list[Example]) -> None:
    for key in (task.identity, task.group, task.leak_key):
        assert len({key(example) for example in examples}) > 1
    first = examples[0]
    for role in task.required_inputs:
        changed = replace(first, inputs={**first.inputs, role: f"{first.inputs[role]} quite different"})
        assert task.identity(changed) != task.identity(first), f"{role} is read, but not part of the identity"
    counts = Counter(label for example in examples for label in task.labels(example))
    assert bool(counts) == task.has_labels
    assert all(isinstance(task.stratum(example, counts), str) for example in examples)
    assert task.text(first) and task.row_text(first)


def test_its_rows_are_split_without_leaks(task: TaskSpec, examples: list[Example]) -> None:
    parts = split({"train": examples}, DataConfig(), 1, task)
    groups = [{task.group(example) for example in part} for part in (parts.train, parts.validation, parts.test)]
    assert all(groups) and not groups[0] & groups[1] and not (groups[0] | groups[1]) & groups[2]


def test_every_fix_can_be_applied(task: TaskSpec, examples: list[Example]) -> None:
    fixes = fixes_for(task)
    fixed, notices = apply_fixes({"train": examples, "test": examples[:5]}, list(fixes), task)
    assert fixed["train"] and {notice.code for notice in notices} == {f"fixed_{code}" for code in fixes}


def test_its_configuration_survives_yaml(task: TaskSpec) -> None:
    config = RunConfig.from_dict({"task": task.name, "data": {"train": "a.csv"}})
    assert RunConfig.from_yaml(config.to_yaml()) == config
    known = {path for path, *_ in walk_options(RunConfig)}
    for section, values in task.default_settings.items():
        for name in values:
            assert f"{section}.{name}" in known


def test_its_export_is_complete(task: TaskSpec) -> None:
    export = task.export
    assert tuple(export.inputs) == task.inputs and export.views and export.answer_keys
    assert export.generative == (task.kind == GENERATIVE) and export.onnx != export.generative
    for text in (export.intended_use, export.limits, export.button, export.missing_input):
        assert both(text)
    assert set(export.metric_ids) & set(task.metrics)
    assert set(export.modules) <= set(closure(export.modules))
    decode: Any = __import__(export.decode, fromlist=["outputs_from"])
    for name in ("outputs_from", "answers") if export.generative else ("outputs_from", "encode", "predict", "answers"):
        assert callable(getattr(decode, name))


def test_it_has_a_tab(task: TaskSpec) -> None:
    tab = TABS[task.name]
    assert tab.task is task and tab.streams == (task.kind == GENERATIVE)
    assert both(tab.title) and both(tab.promise) and both(tab.ask) and both(tab.suggestions)


def test_specs_need_neither_torch_nor_transformers() -> None:
    heavy = "[m for m in ('torch', 'transformers', 'pandas', 'gradio') if m in sys.modules]"
    code = f"import sys, tests.contract.toy.spec, engine.tasks; sys.exit(str({heavy}) if {heavy} else 0)"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).resolve().parents[2], check=True, timeout=100)
