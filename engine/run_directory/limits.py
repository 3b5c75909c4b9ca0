"""Which runs a deployment accepts. Checked before a run starts, and again by the worker for what is known only once the model is loaded.

Knows the limits in `Settings` and the configuration fields they restrict. Does not know users or the queue.
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
    """Every setting of a configuration that exceeds a limit of this deployment."""
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
                # The page itself writes only paths of uploads. Any other path gets an answer that reveals nothing of this machine.
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
    """Why a run ended that took longer than `settings.max_seconds`."""
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


def hung(seconds: float) -> RunFailure:
    """Why a run ended whose worker made no progress for `seconds`."""
    minutes = max(1, round(seconds / 60))
    return RunFailure(
        "hung",
        Text(
            f"The worker gave no sign of life for {minutes} minutes and was ended.",
            f"工作进程 {minutes} 分钟没有任何动静，已被终止。",
        ),
        Text(
            "Resume the run; it goes on from its last checkpoint. The log shows what it was doing.",
            "可以继续该运行，它会从最近的检查点接着训练。日志中记录了它当时在做什么。",
        ),
    )


def _model(config: RunConfig, settings: Settings) -> list[Problem]:
    entry = entry_of(config.model.id)
    if entry is None:
        if not settings.public or config.model.id == AUTOMATIC:
            return []
        return [Problem("model.id", Text("is not offered on this public page.", "不在此公开页面提供的模型之内。"))]
    if entry.parameters > settings.max_model_parameters:
        reason = _too_large(entry.parameters, settings)
        return [Problem("model.id", Text(f"is too large here. {reason.en}", f"过大。{reason.zh}"))]
    return []


def _too_large(parameters: int, settings: Settings) -> Text:
    has, most = parameters / 1e6, settings.max_model_parameters / 1e6
    return Text(
        f"The model has {has:,.0f} million weights; at most {most:,.0f} million are trained here.",
        f"该模型有 {has / 100:,.2f} 亿个权重，此处最多训练 {most / 100:,.2f} 亿个。",
    )
