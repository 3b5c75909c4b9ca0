"""The tasks Tunebench can train, by name.

They are imported when first asked for: everything that reads data knows `engine.tasks.base`, which lies in this package, and the
tasks know what reads data.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from engine.core.errors import ConfigProblem
from engine.core.text import Text

if TYPE_CHECKING:
    from engine.tasks.base import Task

    TASKS: dict[str, Task]


@cache
def _tasks() -> dict[str, Task]:
    from engine.tasks.classification.model import Classification
    from engine.tasks.ner.model import Ner
    from engine.tasks.qa.model import QuestionAnswering
    from engine.tasks.summarization.model import Summarization

    return {task.name: task for task in (Classification(), Ner(), QuestionAnswering(), Summarization())}


def __getattr__(name: str) -> Any:
    if name == "TASKS":
        return _tasks()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def task_named(name: str) -> Task:
    """The task of that name. ConfigProblem for one that a configuration may name but that cannot be trained yet."""
    tasks = _tasks()
    if name in tasks:
        return tasks[name]
    trainable = ", ".join(tasks)
    raise ConfigProblem(
        "task_not_trainable",
        Text(f"The task {name} cannot be trained yet.", f"任务 {name} 暂不支持训练。"),
        Text(f"Trainable: {trainable}.", f"目前支持：{trainable}。"),
        field="task",
    )
