"""Summarization without its model: a document in, its summary out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.text import Text
from engine.tasks.roles import ROLES
from engine.tasks.spec import GenerativeSpec
from engine.tasks.summarization.rouge import METRICS

if TYPE_CHECKING:
    from engine.tasks.base import Task


class SummarizationSpec(GenerativeSpec):
    """A row's target is a tuple of reference summaries."""

    name = "summarization"
    label = Text("Summarization", "文本摘要")
    roles = ROLES["summarization"]
    inputs = ("document",)
    text_role = "document"
    target_role = "summary"
    metrics = (*METRICS, "likelihood")
    plotted_metrics = ("rougeL",)

    def task_model(self) -> Task:
        from engine.tasks.summarization.model import Summarization

        return Summarization()
