"""Extractive question answering without its model: a question about a context, answered by a span of it or by none."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from engine.core.text import Text
from engine.schema import Example
from engine.tasks.qa.counts import METRICS
from engine.tasks.qa.squad_export import squad_predictions
from engine.tasks.roles import ROLES
from engine.tasks.spec import EncoderSpec, ExportFormat
from engine.tasks.task_defaults import TaskHyperparameters, epochs_for_questions

if TYPE_CHECKING:
    from engine.tasks.base import Task


class QuestionAnsweringSpec(EncoderSpec):
    """A row's target is a tuple of {"text", "start"}, empty where the context does not answer the question."""

    name = "qa"
    label = Text("Question answering", "抽取式问答")
    roles = ROLES["qa"]
    inputs = ("context", "question")
    text_role = "context"
    target_role = "answers"
    metrics = METRICS
    plotted_metrics = ("f1", "exact_match")
    # Finding spans is learned after a while in which the scores stay near zero: none of the first epochs may end a run.
    default_settings = MappingProxyType({"training": {"early_stopping": 0}})
    hyperparameters = TaskHyperparameters(
        rate={"full": 8e-5, "lora": 1.8e-4, "head": 5e-3}, epochs=epochs_for_questions, window_tokens=384
    )
    windowed = True
    export_formats = MappingProxyType({".json": ExportFormat("SQuAD JSON", squad_predictions)})

    def task_model(self) -> Task:
        from engine.tasks.qa.model import QuestionAnswering

        return QuestionAnswering()

    @property
    def row_role(self) -> str:
        """Contexts repeat by design; the question tells rows apart."""
        return "question"

    def stratum(self, example: Example, frequency: Counter[str]) -> str:
        return "answered" if example.target else "unanswered"
