"""Errors with a message, a place and a next step for the person who reads them.

Knows the kinds of problem, and how to turn an exception of a library into one of them.
Does not know how they are shown: the page, the command line and the run directory each do that.
"""

from __future__ import annotations

import errno
from typing import Any

from engine.core.text import Text


class UserError(Exception):
    """Something a person can mend: what is wrong (`message`), and what to do next (`hint`).

    `code` is stable and machine-readable. `where` holds what pins the place down (file, row, column, field, ...).
    The process that meets it ends with `exit_code`: 2 for wrong input, 1 for work that failed.
    """

    exit_code = 2

    def __init__(self, code: str, message: Text, hint: Text | None = None, **where: Any):
        super().__init__(message.en if hint is None else f"{message.en} {hint.en}")
        self.code = code
        self.message = message
        self.hint = hint
        self.where = where

    def in_language(self, language: str) -> str:
        parts = [self.message] + ([self.hint] if self.hint else [])
        return ("" if language.startswith("zh") else " ").join(part.in_language(language) for part in parts)

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": type(self).__name__,
            "code": self.code,
            "message": self.message.to_dict(),
            "hint": self.hint.to_dict() if self.hint else None,
            "where": self.where,
        }


class FileProblem(UserError):
    """A file that is missing, unreadable, too large, or not what it claims to be."""


class ColumnProblem(UserError):
    """A column that is missing, ambiguous or of the wrong kind."""


class LabelProblem(UserError):
    """Labels, spans or answers from which nothing can be learned."""


class ModelProblem(UserError):
    """A model that does not exist, cannot be read, or does not fit the task."""


class ConfigProblem(UserError):
    """A run description with one or more wrong fields."""


class RunProblem(UserError):
    """A run that does not exist or is not in the state that an action needs."""


class AssetProblem(UserError):
    """An embedded model or data set that can be neither found nor fetched."""

    exit_code = 1


class RunFailure(UserError):
    """A run that could not be finished: the input was acceptable, the work failed."""

    exit_code = 1


def out_of_memory() -> RunFailure:
    return RunFailure(
        "out_of_memory",
        Text("The machine ran out of memory.", "内存不足。"),
        Text(
            "Choose a smaller batch size, a shorter maximum length, a smaller model, or LoRA instead of full fine-tuning.",
            "请减小批大小、缩短最大长度、换用更小的模型，或用 LoRA 代替全参数微调。",
        ),
    )


def disk_full() -> RunFailure:
    return RunFailure(
        "disk_full",
        Text("The disk is full.", "磁盘空间已满。"),
        Text("Delete old runs or free some space, then resume the run.", "请删除旧的运行或清理磁盘，然后继续该运行。"),
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of Python, PyTorch or the operating system says that memory ran out."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    # torch.OutOfMemoryError on CUDA; a plain RuntimeError from the CPU allocator.
    text = str(error).lower()
    return type(error).__name__ == "OutOfMemoryError" or (
        isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)
    )


def is_disk_full(error: BaseException) -> bool:
    """Whether an exception says that a disk or a quota is full, also where a library has only words for it."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return type(error).__name__ == "SafetensorError" and "No space left" in str(error)


def explain(error: BaseException) -> UserError:
    """The cause of `error` in plain words. An unknown exception keeps its own words, and points to the log."""
    if isinstance(error, UserError):
        return error
    if is_out_of_memory(error):
        return out_of_memory()
    if is_disk_full(error):
        return disk_full()
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return RunFailure(
            "not_writable",
            Text(f"No permission to use {error.filename}.", f"没有权限访问 {error.filename}。"),
            Text("Choose another directory with TUNEBENCH_RUNS.", "请用 TUNEBENCH_RUNS 指定其他目录。"),
        )
    name = type(error).__name__
    return RunFailure(
        "unexpected",
        Text(f"Unexpected error ({name}): {error}", f"意外错误（{name}）：{error}"),
        Text("The run's train.log holds the full traceback.", "完整的错误堆栈见该运行的 train.log。"),
    )
