"""Summarization: a document in, its summary out.

Knows the prompts for a summary and that ROUGE scores it. Everything else is what all generative tasks share.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from engine.core.text import Text
from engine.evaluation.intervals import MetricsFrom, Statistics
from engine.generation.generation_spec import GenerationSpec
from engine.models.prompt_styles import BARE, CHAT, PLAIN, PREFIXED
from engine.schema import Example
from engine.tasks.generative import GenerativeTask
from engine.tasks.model import EvaluationData
from engine.tasks.summarization.rouge import metrics_from, statistics
from engine.tasks.summarization.spec import SummarizationSpec


class Summarization(GenerativeTask):
    spec = SummarizationSpec()
    source = "document"
    target = "summary"
    prompts: ClassVar[dict[str, Text]] = {
        CHAT: Text(
            "Summarize the text in one sentence.\n\n{document}",
            "请用一句话概括下面的内容。\n\n{document}",
        ),
        PLAIN: Text("{document}\n\nSummary:", "{document}\n\n摘要："),
        PREFIXED: Text("summarize: {document}", "summarize: {document}"),
        BARE: Text("{document}", "{document}"),
    }

    def counts(self, examples: Sequence[Example], predictions: list[str], outputs: GenerationSpec) -> Statistics:
        return statistics([example.target for example in examples], predictions)

    def metrics_from(self, outputs: GenerationSpec) -> MetricsFrom:
        return metrics_from

    def report(
        self, data: EvaluationData[GenerationSpec, list[str]]
    ) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
        from engine.tasks.summarization.report import build_report

        return build_report(data)


TASK_MODEL = Summarization
