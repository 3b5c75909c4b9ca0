"""The tasks by name, as specs. Their models are imported when `engine.tasks.model.task_model` is first called."""

from __future__ import annotations

from engine.core.errors import ConfigProblem
from engine.core.text import Text
from engine.tasks.classification.spec import ClassificationSpec
from engine.tasks.ner.spec import NerSpec
from engine.tasks.qa.spec import QuestionAnsweringSpec
from engine.tasks.spec import TaskSpec
from engine.tasks.summarization.spec import SummarizationSpec

_ALL: tuple[TaskSpec, ...] = (ClassificationSpec(), NerSpec(), QuestionAnsweringSpec(), SummarizationSpec())
TASKS: dict[str, TaskSpec] = {task.name: task for task in _ALL}


DEFAULT_TASK = next(iter(TASKS))  # of a configuration that names none


def task_named(name: str) -> TaskSpec:
    """The task of that name. ConfigProblem for an unknown one."""
    if name in TASKS:
        return TASKS[name]
    trainable = ", ".join(TASKS)
    raise ConfigProblem(
        "task_not_trainable",
        Text(f"The task {name} cannot be trained yet.", f"任务 {name} 暂不支持训练。"),
        Text(f"Trainable: {trainable}.", f"目前支持：{trainable}。"),
        field="task",
    )
