"""Which reader serves a task: one for encoders, one for generative models."""

from __future__ import annotations

from typing import Any

from engine.inference.encoder_reader import EncoderReader
from engine.inference.reader import Reader
from engine.schema import GENERATIVE
from engine.tasks.model import TaskModel


def reader_for(task: TaskModel[Any, Any]) -> type[Reader]:
    """The reader class of the task's kind. Generation is imported only where it is needed."""
    if task.spec.kind == GENERATIVE:
        from engine.inference.generative_reader import GenerativeReader

        return GenerativeReader
    return EncoderReader
