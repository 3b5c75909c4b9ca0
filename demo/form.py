"""Between the fields of a tab and a RunConfig, both ways, and the same run written as YAML, Python and a command line.

A field is known by its dotted path in RunConfig, so nothing is described twice: every path below is a field of the page. Knows
how a field's value in the browser stands for a value in the configuration; does not know any component.
"""

from __future__ import annotations

import copy
import functools
import json
import shlex
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from demo.uploads import Uploads
from engine.config import RunConfig, raise_problems, with_defaults
from engine.core.options import Option, Problem, read, walk_options
from engine.core.text import Text
from engine.tasks import TASKS

FILES = ("data.train", "data.validation", "data.test")
AUTO, YES, NO = "auto", "yes", "no"
# What `python -m engine train` takes by name; a run that says more is written as a YAML file.
FLAGS = {
    "data.example": "--example",
    "data.train": "--train",
    "data.validation": "--validation",
    "data.test": "--test",
    "data.columns.text": "--text",
    "data.columns.label": "--label",
    "model.id": "--model",
    "method.name": "--method",
    "training.epochs": "--epochs",
    "training.minutes": "--minutes",
    "training.learning_rate": "--learning-rate",
    "training.batch_size": "--batch-size",
    "model.max_length": "--max-length",
    "data.max_train_rows": "--max-train-rows",
    "seed": "--seed",
}


@dataclass(frozen=True)
class Field:
    """One leaf of RunConfig: its option, its annotated type and its default."""

    path: str
    option: Option
    kind: str  # "choice", "switch", "maybe" (yes, no or automatic), "integer", "number", "text", "list"
    default: Any


@functools.cache
def fields() -> dict[str, Field]:
    """Every leaf of RunConfig by its path, but for the task, which is the tab, and the columns, which are a field a role."""
    described = {}
    default = RunConfig().to_dict()
    for path, _, option in walk_options(RunConfig):
        if path not in ("task", "data.columns"):
            described[path] = Field(path, option, _kind(_hint(path), option), get(default, path))
    return described


def paths(task: str) -> list[str]:
    """The paths of all fields of a task's tab."""
    mine = [path for path, field in fields().items() if field.option.serves(TASKS[task].kind)]
    return [*mine, *(f"data.columns.{role.name}" for role in TASKS[task].roles)]


def default(task: str, path: str) -> Any:
    """What a field of a task's tab shows at first."""
    return get(RunConfig.for_task(task).to_dict(), path)


def to_config(task: str, values: dict[str, Any], uploads: Uploads) -> RunConfig:
    """The run that the fields describe, its ranges unchecked (`RunConfig.validate` does that). ConfigProblem for a value of
    the wrong type, FileProblem for an upload that is gone.
    """
    described: dict[str, Any] = {"task": task}
    for path, value in values.items():
        if path in FILES:
            value = str(uploads.path(value)) if value else ""
        elif path.startswith("data.columns."):
            value = value or None
        else:
            value = _value(fields()[path], value)
        if value is not None:
            put(described, path, value)
    problems: list[Problem] = []
    config = read(RunConfig, with_defaults(described), problems)
    raise_problems(problems)
    return config


def to_values(config: RunConfig) -> dict[str, Any]:
    """What the fields show for a configuration, the other way round. Files are left out: a tab knows them by upload only."""
    described = config.to_dict()
    values: dict[str, Any] = {}
    for path, field in fields().items():
        if path in FILES or not field.option.serves(TASKS[config.task].kind):
            continue
        value = get(described, path)
        if field.kind == "maybe":
            value = AUTO if value is None else YES if value else NO
        elif field.kind == "list":
            value = ",".join(value)
        elif field.kind in ("integer", "number"):
            value = written(value)
        values[path] = value
    for role in TASKS[config.task].roles:
        values[f"data.columns.{role.name}"] = config.data.columns.get(role.name)
    return values


def problem_text(problem: Problem) -> Text:
    """A problem with the field's label in place of its path."""
    field = fields().get(problem.path)
    if field is None:
        return Text(f"{problem.path} {problem.message.en}", f"{problem.path} {problem.message.zh}")
    return Text(f"{field.option.label.en} {problem.message.en}", f"“{field.option.label.zh}”{problem.message.zh}")


def shareable(config: RunConfig, names: dict[str, str]) -> RunConfig:
    """The same run with files by their own names, for showing: where the server keeps them is nobody's business."""
    shown = copy.deepcopy(config)
    for path in FILES:
        name = path.rpartition(".")[2]
        if getattr(shown.data, name):
            setattr(shown.data, name, names.get(path) or Path(getattr(shown.data, name)).name)
    return shown


def as_python(config: RunConfig) -> str:
    values = yaml.safe_load(config.to_yaml())
    return (
        "from engine import RunConfig, load_predictor, train\n\n"
        f"config = RunConfig.from_dict({_literal(values)})\n"
        "run = train(config)\n"
        f"predictor = load_predictor(run.directory)\nprint(predictor.predict([{_row(config.task)}]))\n"
    )


def _row(task: str) -> str:
    """A row as `predict` takes it, in Python: a text, or a text for each of several roles."""
    read = TASKS[task].required_inputs
    parts = ", ".join(f'"{name}": "…"' for name in read)
    return '"…"' if len(read) == 1 else f"{{{parts}}}"


def as_command(config: RunConfig) -> str:
    """The command line; by flags where they say everything, else by the YAML file."""
    values = yaml.safe_load(config.to_yaml())
    flat = dict(_flatten(values))
    task = flat.pop("task")
    if any(path not in FLAGS for path in flat):
        return "python -m engine train run.yaml\n"
    words = ["python", "-m", "engine", "train", "--task", task]
    for path, flag in FLAGS.items():
        if path in flat:
            words += [flag, str(flat[path])]
    return " ".join(shlex.quote(word) for word in words) + "\n"


def get(values: dict[str, Any], path: str) -> Any:
    for name in path.split("."):
        values = values[name]
    return values


def put(values: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        values = values.setdefault(name, {})
    values[last] = value


def _hint(path: str) -> Any:
    kind: Any = RunConfig
    for name in path.split("."):
        kind = typing.get_type_hints(kind)[name]
    return kind


def _kind(hint: Any, option: Option) -> str:
    alternatives = typing.get_args(hint) or (hint,)
    if option.choices:
        return "choice"
    if bool in alternatives:
        return "maybe" if type(None) in alternatives else "switch"
    if int in alternatives:
        return "integer"
    if float in alternatives:
        return "number"
    return "text" if hint is str else "list"


def _value(field: Field, value: Any) -> Any:
    """What the browser sent, as the configuration has it; None leaves the default."""
    if field.kind == "maybe":
        return {AUTO: None, YES: True, NO: False}[value or AUTO]
    if field.kind == "list":
        return [part for part in (value or "").split(",") if part]
    if field.kind in ("integer", "number"):
        return _number(value)
    if field.kind == "text":
        return (value or "").strip() or None if field.path == "model.id" else (value or "").strip()
    return value


def _number(text: str | None) -> float | int | str | None:
    """A number as typed; None when empty; what is no number stays as it is, for `read` to say so."""
    text = (text or "").strip()
    if not text:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def written(number: float | None) -> str:
    """A number as a person would type it; empty for automatic."""
    return "" if number is None else f"{number:.12g}"


def _flatten(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat = []
    for key, value in values.items():
        flat += _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return flat


def _literal(values: Any, indent: int = 0) -> str:
    """A dictionary as a person would write it: one key a line, nested by four spaces."""
    if isinstance(values, str):
        return json.dumps(values, ensure_ascii=False)
    if not isinstance(values, dict):
        return repr(values)
    pad = " " * (indent + 4)
    lines = [f"{pad}{_literal(key)}: {_literal(value, indent + 4)}," for key, value in values.items()]
    return "{\n" + "\n".join(lines) + "\n" + " " * indent + "}"
