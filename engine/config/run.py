"""The whole description of a run, as YAML, as a dictionary and as an object, checked as a whole."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from engine.config.training import EvaluationConfig, TrainingConfig
from engine.core.errors import ConfigProblem, FileProblem
from engine.core.options import Problem, check_ranges, no_choice, option, read, walk_options
from engine.core.text import Text
from engine.data.config import DataConfig
from engine.generation.config import GenerationConfig
from engine.models.config import METHODS, MethodConfig, ModelConfig
from engine.schema import GENERATIVE
from engine.tasks import DEFAULT_TASK, TASKS, TaskSpec, task_named


class _Dumper(yaml.SafeDumper):
    """Quotes text with one of Unicode's own line breaks, which PyYAML writes bare and then reads back as a blank."""

    def represent_str(self, text: str) -> yaml.ScalarNode:
        style = '"' if any(character in text for character in "\x85\u2028\u2029") else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


@dataclass
class RunConfig:
    """One run: task, data, model, method, training, generation, evaluation."""

    task: str = option(DEFAULT_TASK, Text("Task", "任务"), Text("What is to be learned.", "要学习的任务。"))
    name: str = option("", Text("Name", "名称"), Text("Shown in the run list.", "显示在运行列表中的名称。"))
    seed: int = option(
        42,
        Text("Seed", "随机种子"),
        Text("Same seed, same data, same machine: same model.", "种子、数据和机器相同，则模型相同。"),
        low=0,
        high=2**32 - 1,
        advanced=True,
    )
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    method: MethodConfig = field(default_factory=MethodConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    generation: GenerationConfig = field(default_factory=GenerationConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    def validate(self) -> list[Problem]:
        """Everything that is wrong with this description by itself, all at once."""
        problems = check_ranges(self)
        if self.task not in TASKS:
            problems.insert(0, no_choice("task", self.task, tuple(TASKS)))
        sources = [name for name in ("example", "train", "hub") if getattr(self.data, name)]
        if not sources:
            problems.append(
                Problem(
                    "data.train",
                    Text(
                        "is empty. Give a training file, an example or a hub data set.",
                        "为空。请提供训练文件、示例数据或 Hub 数据集。",
                    ),
                )
            )
        elif len(sources) > 1:
            given = ", ".join(f"data.{name}" for name in sources)
            problems.append(
                Problem(
                    f"data.{sources[1]}",
                    Text(f"is one source too many: {given}. Keep one.", f"数据来源重复：{given}。请只保留一个。"),
                )
            )
        if (self.data.validation_share or 0.1) + (self.data.test_share or 0.2) > 0.8:
            problems.append(
                Problem(
                    "data.test_share",
                    Text(
                        "leaves less than 20 % of the rows for training. Lower it or data.validation_share.",
                        "导致训练数据不足 20 %。请调低它或 data.validation_share。",
                    ),
                )
            )
        if not self.model.id.strip():
            problems.append(Problem("model.id", Text("is empty. Name a model.", "为空。请指定模型。")))
        return problems + self._method_problems() + self._out_of_place()

    @property
    def spec(self) -> TaskSpec:
        """The task of the run. ConfigProblem for an unknown one."""
        return task_named(self.task)

    def _method_problems(self) -> list[Problem]:
        """Methods that the task or other settings rule out."""
        problems, name = [], self.method.name
        spec = TASKS.get(self.task)
        if spec is not None and name in METHODS and name not in spec.methods:
            reason = (
                Text("a generative model has no head to train apart", "生成模型没有可单独训练的输出层")
                if spec.kind == GENERATIVE
                else Text("it is for generative models", "该方法只用于生成模型")
            )
            problems.append(
                Problem(
                    "method.name",
                    Text(
                        f"is {name}, which {self.task} cannot use: {reason.en}. Choose one of {', '.join(spec.methods)}.",
                        f"的值 {name} 不适用于该任务：{reason.zh}。可选：{'、'.join(spec.methods)}。",
                    ),
                )
            )
        if self.method.four_bit and name == "full":
            problems.append(
                Problem(
                    "method.four_bit",
                    Text(
                        "cannot train every weight: 4-bit weights stay as they are. Choose lora.",
                        "与 full 不能同用：4 位权重无法训练。请选择 lora。",
                    ),
                )
            )
        if self.method.frozen_layers and self.method.freeze_embeddings is False:
            problems.append(
                Problem(
                    "method.frozen_layers",
                    Text(
                        "leaves all below those layers alone, word embeddings too, which method.freeze_embeddings wants to learn. Change one of them.",
                        "会冻结这些层及其下方的词嵌入，而 method.freeze_embeddings 要求训练词嵌入。请修改其中一项。",
                    ),
                )
            )
        if self.training.gradient_checkpointing and name == "prefix":
            problems.append(
                Problem(
                    "training.gradient_checkpointing",
                    Text(
                        "does not go with prefix tuning, which needs the cache. Turn it off.",
                        "不能与 prefix 同用（后者依赖缓存）。请关闭。",
                    ),
                )
            )
        return problems

    def _out_of_place(self) -> list[Problem]:
        """Fields that were set although they mean nothing to the task."""
        if self.task not in TASKS:
            return []
        mine, default = self.to_dict(), RunConfig().to_dict()
        return [
            Problem(
                path,
                Text(f"means nothing to {self.task}. Leave it out.", "对该任务没有意义。请去掉。"),
            )
            for path, _, described in walk_options(RunConfig)
            if not described.serves(self.spec.kind) and _at(mine, path) != _at(default, path)
        ]

    def check(self) -> None:
        """Raise ConfigProblem when `validate` finds anything."""
        raise_problems(self.validate())

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def to_yaml(self) -> str:
        """YAML of what differs from the task's defaults, and of the task and model always: short enough to read.

        The task's defaults, because `from_dict` fills in what is missing with those.
        """
        default = RunConfig.for_task(self.task).to_dict()
        changed = _differences(self.to_dict(), default)
        changed = {"task": self.task, **changed}
        changed.setdefault("model", {}).setdefault("id", self.model.id)
        changed.setdefault("method", {}).setdefault("name", self.method.name)
        order = list(default)
        ordered = {key: changed[key] for key in order if key in changed}
        return yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)

    @classmethod
    def for_task(cls, task: str) -> RunConfig:
        """The defaults of a task, without data and unchecked."""
        return read(cls, with_defaults({"task": task}), [])

    @classmethod
    def from_dict(cls, values: Any) -> RunConfig:
        """Raises ConfigProblem with every unknown key, wrong type and value out of range."""
        problems: list[Problem] = []
        config = read(cls, with_defaults(values), problems)
        unread = {problem.path for problem in problems}
        # A field that could not be read is at its default; only what was read can be judged further.
        problems += [problem for problem in config.validate() if problem.path not in unread]
        raise_problems(problems)
        return config

    @classmethod
    def from_yaml(cls, text: str, source: str = "config.yaml") -> RunConfig:
        """Raises FileProblem with line and column for what is no YAML, ConfigProblem for what is no RunConfig."""
        try:
            values = yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            row, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            raise FileProblem(
                "bad_yaml",
                Text(
                    f"{source} is no valid YAML at line {row}, column {column}.",
                    f"{source} 第 {row} 行第 {column} 列不是合法的 YAML。",
                ),
                Text("Correct that line.", "请改正该行。"),
                file=source,
                row=row,
                column=column,
            ) from error
        return cls.from_dict({} if values is None else values)

    @classmethod
    def load(cls, path: str | Path) -> RunConfig:
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise FileProblem(
                "unreadable_config",
                Text(f"Cannot read the configuration {path}: {error}.", f"无法读取配置文件 {path}：{error}。"),
                file=str(path),
            ) from error
        return cls.from_yaml(text, source=path.name)


def raise_problems(problems: list[Problem]) -> None:
    """Raise one ConfigProblem that lists them all, or return when there are none."""
    if not problems:
        return
    raise ConfigProblem(
        "bad_config",
        Text(
            "The configuration has problems:\n" + "\n".join(f"  {p.path} {p.message.en}" for p in problems),
            "配置有以下问题：\n" + "\n".join(f"  {p.path} {p.message.zh}" for p in problems),
        ),
        problems=[{"path": p.path, "message": p.message.to_dict()} for p in problems],
    )


def with_defaults(values: Any) -> Any:
    """The values of a run, with the task's own defaults where nothing is given. What is no mapping is returned as it is."""
    if not isinstance(values, dict):
        return values
    filled = dict(values)
    spec = TASKS.get(str(values.get("task", DEFAULT_TASK)))
    for section, defaults in (spec.default_settings if spec else {}).items():
        given = filled.get(section, {})
        if isinstance(given, dict):
            filled[section] = {**defaults, **given}
    return filled


def _at(values: dict[str, Any], path: str) -> Any:
    for name in path.split("."):
        values = values[name]
    return values


def _differences(values: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(default[key], dict) and key != "columns":
            inner = _differences(value, default[key])
            if inner:
                changed[key] = inner
        elif value != default[key]:
            changed[key] = value
    return changed
