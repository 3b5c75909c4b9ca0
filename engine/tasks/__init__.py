"""The tasks Tunebench can train, by name."""

from engine.tasks.classification import Classification

TASKS = {task.name: task for task in (Classification(),)}
