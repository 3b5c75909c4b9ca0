"""What the tasks are called, and what each may be trained with: known to the configuration, so that a wrong choice is told at once.

Does not know how a task is trained.
"""

from __future__ import annotations

from typing import Any

TASK_NAMES = ("classification", "ner", "qa", "summarization")
# Tasks whose model writes a text, and those whose model reads one and points at what it found.
WRITING = ("summarization",)
READING = tuple(name for name in TASK_NAMES if name not in WRITING)

METHODS = ("full", "lora", "head", "prefix", "ia3")
_METHODS_OF = dict.fromkeys(READING, ("full", "lora", "head")) | dict.fromkeys(
    WRITING, ("lora", "full", "prefix", "ia3")
)
# Where a task's defaults are others than RunConfig's own.
_DEFAULTS_OF: dict[str, dict[str, dict[str, Any]]] = {name: {"method": {"name": "lora"}} for name in WRITING} | {
    # Finding spans is learned after a while in which nothing seems to be: no score of the first passes may end a run.
    "qa": {"training": {"early_stopping": 0}}
}


def methods_of(task: str) -> tuple[str, ...]:
    """The methods that make sense for a task, its default first among those that write."""
    return _METHODS_OF.get(task, METHODS)


def defaults_of(task: str) -> dict[str, dict[str, Any]]:
    """The fields of a task whose defaults differ from RunConfig's, nested as in a file."""
    return {section: dict(values) for section, values in _DEFAULTS_OF.get(task, {}).items()}
