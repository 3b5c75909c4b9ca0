"""Which runs a deployment takes: told before anything starts, and checked again by the worker where only it can know.

Knows the limits of `Settings` and the fields they are about. Does not know who asks, nor how long the queue is.
"""

from __future__ import annotations

from pathlib import Path

from engine.config import RunConfig
from engine.config.run import raise_problems
from engine.core.errors import ConfigProblem, RunFailure
from engine.core.options import Problem
from engine.core.settings import Settings
from engine.core.text import Text
from engine.models.catalog import entry_of
from engine.models.choose import AUTOMATIC

FILES = ("train", "validation", "test")


def over_limits(config: RunConfig, settings: Settings) -> list[Problem]:
    """What of a configuration this deployment does not take."""
    problems = []
    epochs = config.training.epochs
    if epochs is not None and epochs > settings.max_epochs:
        problems.append(
            Problem(
                "training.epochs",
                Text(
                    f"is {epochs:g}; at most {settings.max_epochs:g} are run here.",
                    f"的值是 {epochs:g}；此处最多训练 {settings.max_epochs:g} 轮。",
                ),
            )
        )
    problems += _model(config, settings)
    if settings.public:
        uploads = settings.uploads_dir.resolve()
        for name in FILES:
            given = getattr(config.data, name)
            if given and not Path(given).resolve().is_relative_to(uploads):
                # The page writes only paths of uploads; whoever got here without it learns nothing of this machine.
                problems.append(
                    Problem(f"data.{name}", Text("must be an uploaded file.", "必须是上传的文件。")),
                )
    return problems


def check_limits(config: RunConfig, settings: Settings) -> None:
    """ConfigProblem that lists everything over the limits."""
    raise_problems(over_limits(config, settings))


def check_size(parameters: int, settings: Settings) -> None:
    """ConfigProblem for a loaded model with more weights than this deployment trains."""
    if parameters > settings.max_model_parameters:
        raise ConfigProblem("model_too_large", _too_large(parameters, settings), field="model.id")


def out_of_time(settings: Settings) -> RunFailure:
    minutes = max(1, settings.max_seconds // 60)
    return RunFailure(
        "time_limit",
        Text(
            f"The run took longer than the {minutes} minutes that a run may take here.",
            f"该运行超过了此处允许的 {minutes} 分钟。",
        ),
        Text(
            "Use fewer rows or epochs, a shorter maximum length or a smaller model.",
            "请减少行数或训练轮数、缩短最大长度或换用更小的模型。",
        ),
    )


def _model(config: RunConfig, settings: Settings) -> list[Problem]:
    entry = entry_of(config.model.id)
    if entry is None:
        if not settings.public or config.model.id == AUTOMATIC:
            return []
        return [Problem("model.id", Text("is not offered on this public page.", "不在此公开页面提供的模型之内。"))]
    if entry.parameters > settings.max_model_parameters:
        said = _too_large(entry.parameters, settings)
        return [Problem("model.id", Text(f"is too large here. {said.en}", f"过大。{said.zh}"))]
    return []


def _too_large(parameters: int, settings: Settings) -> Text:
    has, most = parameters / 1e6, settings.max_model_parameters / 1e6
    return Text(
        f"The model has {has:,.0f} million weights; at most {most:,.0f} million are trained here.",
        f"该模型有 {has / 100:,.2f} 亿个权重，此处最多训练 {most / 100:,.2f} 亿个。",
    )
