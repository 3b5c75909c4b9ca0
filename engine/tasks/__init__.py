"""The tasks Tunebench can train, by name."""

from __future__ import annotations

from engine.errors import ConfigProblem
from engine.tasks.base import Task
from engine.tasks.classification import Classification
from engine.tasks.ner import Ner
from engine.tasks.qa import QuestionAnswering
from engine.tasks.summarization import Summarization
from engine.text import Text

TASKS: dict[str, Task] = {task.name: task for task in (Classification(), Ner(), QuestionAnswering(), Summarization())}


def task_named(name: str) -> Task:
    """The task of that name. ConfigProblem for one that a configuration may name but that cannot be trained yet."""
    if name in TASKS:
        return TASKS[name]
    trainable = ", ".join(TASKS)
    raise ConfigProblem(
        "task_not_trainable",
        Text(f"The task {name} cannot be trained yet.", f"任务 {name} 暂不支持训练。"),
        Text(f"Trainable: {trainable}.", f"目前支持：{trainable}。"),
        field="task",
    )
