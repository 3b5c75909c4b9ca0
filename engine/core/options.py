"""How one field of a configuration is described, read and checked.

Knows labels, help, ranges and choices (the metadata that the page, the command line and the docs all show), and how to turn
a plain dictionary into nested dataclasses while collecting every problem. Does not know any particular field.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.core.text import Text


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong field: its dotted path, what is wrong, and what would be right."""

    path: str
    message: Text


@dataclass(frozen=True, slots=True)
class Option:
    """What is known of one field beside its type and default.

    `low` and `high` are inclusive unless `above` says that `low` itself is not allowed. `advanced` fields wait in an
    accordion. `automatic` says what None, or an empty text, means. `kinds` are the kinds of tasks that the field is for (ENCODER, GENERATIVE); empty for all.
    `lines` is the height of a field for longer texts.
    """

    label: Text
    help: Text
    low: float | None = None
    high: float | None = None
    above: bool = False
    choices: tuple[str, ...] = ()
    advanced: bool = False
    automatic: Text | None = None
    kinds: tuple[str, ...] = ()
    lines: int = 1

    def serves(self, kind: str) -> bool:
        """Whether the field means anything to tasks of a kind."""
        return not self.kinds or kind in self.kinds

    def range_text(self) -> str:
        """The allowed range in interval notation, empty where there is none."""
        if self.low is None and self.high is None:
            return ""
        left = "(-inf" if self.low is None else f"{'(' if self.above else '['}{self.low:g}"
        right = "inf)" if self.high is None else f"{self.high:g}]"
        return f"{left}, {right}"


def option(default: Any, label: Text, help: Text, **details: Any) -> Any:
    """A dataclass field with its `Option`. A list or dictionary default is copied for every instance."""
    metadata = {"option": Option(label=label, help=help, **details)}
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def walk_options(config_class: type, prefix: str = "") -> Iterator[tuple[str, dataclasses.Field, Option]]:
    """Every leaf field below a configuration class: (dotted path, field, option), in order of definition."""
    hints = typing.get_type_hints(config_class)
    for field in dataclasses.fields(config_class):
        path = f"{prefix}{field.name}"
        if dataclasses.is_dataclass(hints[field.name]):
            yield from walk_options(hints[field.name], path + ".")
        else:
            yield path, field, field.metadata["option"]


def read(config_class: type, values: Any, problems: list[Problem], prefix: str = "") -> Any:
    """Build `config_class` from a plain dictionary. Whatever is wrong is added to `problems` and left at its default."""
    if not isinstance(values, dict):
        problems.append(
            Problem(
                prefix.rstrip(".") or "(file)",
                Text(
                    f"is {_kind(values)}, not a mapping of names to values.", f"应为键值映射，而不是{_kind(values)}。"
                ),
            )
        )
        return config_class()
    hints = typing.get_type_hints(config_class)
    names = [field.name for field in dataclasses.fields(config_class)]
    for key in values:
        if key not in names:
            problems.append(Problem(f"{prefix}{key}", _unknown_key(str(key), names)))
    chosen: dict[str, Any] = {}
    for field in dataclasses.fields(config_class):
        if field.name not in values:
            continue
        path, hint, value = f"{prefix}{field.name}", hints[field.name], values[field.name]
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            chosen[field.name] = read(hint, value, problems, path + ".")
            continue
        if value is False and "off" in field.metadata["option"].choices:
            value = "off"  # unquoted, YAML reads it as false
        try:
            chosen[field.name] = _convert(value, hint)
        except ValueError:
            expected = _expected(hint)
            problems.append(
                Problem(
                    path,
                    Text(f"is {value!r}; it must be {expected.en}.", f"的值是 {value!r}；应为{expected.zh}。"),
                )
            )
    return config_class(**chosen)


def check_ranges(config: Any, prefix: str = "") -> list[Problem]:
    """Every field of a configuration whose value lies outside its range or choices."""
    problems: list[Problem] = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        path = f"{prefix}{field.name}"
        if dataclasses.is_dataclass(value):
            problems += check_ranges(value, path + ".")
            continue
        described: Option = field.metadata["option"]
        if value is None:
            continue
        if described.choices and value not in described.choices:
            problems.append(no_choice(path, value, described.choices))
        elif isinstance(value, int | float) and not isinstance(value, bool) and not _in_range(value, described):
            allowed = described.range_text()
            problems.append(
                Problem(
                    path, Text(f"is {value:g}; it must lie in {allowed}.", f"的值是 {value:g}；应在 {allowed} 之内。")
                )
            )
    return problems


def no_choice(path: str, value: Any, choices: Sequence[str]) -> Problem:
    """The problem of a value that is none of the choices."""
    listed = ", ".join(choices)
    near = difflib.get_close_matches(str(value), choices, n=1)
    return Problem(
        path,
        Text(
            f"is {value!r}; it must be one of {listed}." + (f" Did you mean {near[0]}?" if near else ""),
            f"的值是 {value!r}；可选值为 {listed}。" + (f"是否想写 {near[0]}？" if near else ""),
        ),
    )


def _in_range(value: float, described: Option) -> bool:
    if not math.isfinite(value):
        return False
    if described.low is not None and (value < described.low or (described.above and value == described.low)):
        return False
    return described.high is None or value <= described.high


def _unknown_key(key: str, names: list[str]) -> Text:
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    if near:
        return Text(f"is no known field. Did you mean {near[0]}?", f"不是已知字段。是否想写 {near[0]}？")
    listed = ", ".join(names)
    return Text(f"is no known field. Known here: {listed}.", f"不是已知字段。此处可用：{listed}。")


def _kind(value: Any) -> str:
    return type(value).__name__


def _alternatives(hint: Any) -> tuple[Any, ...]:
    origin = typing.get_origin(hint)
    return typing.get_args(hint) if origin in (typing.Union, types.UnionType) else (hint,)


def _convert(value: Any, hint: Any) -> Any:
    """`value` as the annotated type; ValueError when it cannot be. YAML reads 1e-4 as a string, hence numbers in strings."""
    for kind in _alternatives(hint):
        if kind is type(None):
            if value is None:
                return None
        elif kind is bool:
            if isinstance(value, bool):
                return value
        elif kind is int:
            if isinstance(value, int) and not isinstance(value, bool):
                return value
            if isinstance(value, float) and value.is_integer():
                return int(value)
        elif kind is float:
            if isinstance(value, int | float | str) and not isinstance(value, bool):
                return float(value)
        elif kind is str:
            if isinstance(value, str):
                return value
        elif typing.get_origin(kind) is list:
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                return list(value)
        elif typing.get_origin(kind) is dict and isinstance(value, dict):
            if all(isinstance(k, str) and isinstance(v, str) for k, v in value.items()):
                return dict(value)
    raise ValueError(value)


_EXPECTED = {
    bool: Text("true or false", " true 或 false"),
    int: Text("a whole number", "整数"),
    float: Text("a number", "数值"),
    str: Text("text", "文本"),
    list: Text("a list of names", "名称列表"),
    dict: Text("a mapping of names to names", "名称到名称的映射"),
    type(None): Text("empty", "空"),
}


def _expected(hint: Any) -> Text:
    kinds = [_EXPECTED[typing.get_origin(kind) or kind] for kind in _alternatives(hint)]
    return Text(" or ".join(kind.en for kind in kinds), "或".join(kind.zh for kind in kinds))
