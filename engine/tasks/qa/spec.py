"""Extractive question answering without its model: a question about a context, answered by a span of it or by none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from engine.core.text import Text
from engine.schema import Example, Role
from engine.sections import Section
from engine.tasks.qa.counts import METRICS
from engine.tasks.qa.squad_export import squad_predictions
from engine.tasks.spec import EncoderSpec, ExportFormat
from engine.tasks.task_defaults import TaskHyperparameters, epochs_for_questions

if TYPE_CHECKING:
    from engine.data.column_guess import Guess
    from engine.data.config import DataConfig
    from engine.data.corpus import Corpus
    from engine.data.findings import Finding
    from engine.data.table import Table
    from engine.data.task import Moved
    from engine.schema import Notice

ROLES = (
    Role("context", Text("Context", "原文"), Text("The text that holds the answer.", "包含答案的文本。")),
    Role("question", Text("Question", "问题"), Text("What is asked about it.", "针对原文的提问。")),
    Role(
        "answers",
        Text("Answers", "答案"),
        Text(
            "The answer as it stands in the context; empty when there is none.",
            "原文中的答案片段；没有答案则留空。",
        ),
    ),
    Role(
        "answer_start",
        Text("Answer start", "答案起点"),
        Text("Character at which the answer starts.", "答案的起始字符位置。"),
        required=False,
    ),
)


class QuestionAnsweringSpec(EncoderSpec):
    """A row's target is a tuple of {"text", "start"}, empty where the context does not answer the question."""

    name = "qa"
    label = Text("Question answering", "抽取式问答")
    roles = ROLES
    inputs = ("context", "question")
    text_role = "context"
    target_role = "answers"
    metrics = METRICS
    plotted_metrics = ("f1", "exact_match")
    # Finding spans is learned after a while in which the scores stay near zero: none of the first epochs may end a run.
    default_settings = MappingProxyType({"training": {"early_stopping": 0}})
    hyperparameters = TaskHyperparameters(
        learning_rates={"full": 8e-5, "lora": 1.8e-4, "head": 5e-3}, epochs=epochs_for_questions, window_tokens=384
    )
    windowed = True
    texts_repeat = True
    export_formats = MappingProxyType({".json": ExportFormat("SQuAD JSON", squad_predictions)})
    insight_titles = MappingProxyType(
        {
            "exact_match": Text("Word for word", "逐字比较"),
            "word_overlap": Text("Against word overlap", "与词语重合相比"),
            "silence": Text("Questions without an answer", "没有答案的问题"),
            "threshold": Text("When it keeps silent", "何时不作答"),
            "weak_questions": Text("Where it is weak", "薄弱之处"),
        }
    )

    def guess(self, table: Table, given: dict[str, str]) -> dict[str, Guess]:
        from engine.tasks.qa.columns import guess

        return guess(table, given)

    def read(self, table: Table, columns: Mapping[str, str], data: DataConfig) -> tuple[list[Example], list[Notice]]:
        from engine.tasks.qa.reading import read_answers

        return read_answers(table, columns)

    def require_labels(self, rows: Sequence[Example]) -> None:
        from engine.tasks.qa.reading import require_answers

        require_answers(rows)

    def report_sections(self, report: dict[str, Any]) -> list[Section]:
        from engine.tasks.qa.sections import report_sections

        return report_sections(report)

    def picked_rows(self, directory: Path, report: dict[str, Any], pick: str) -> Section:
        from engine.tasks.qa.sections import picked_rows

        return picked_rows(directory, report, pick)

    @property
    def row_role(self) -> str:
        """Contexts repeat by design; the question tells rows apart."""
        return "question"

    def stratum(self, example: Example, frequency: Counter[str]) -> str:
        return "answered" if example.target else "unanswered"

    def rewrite_texts(self, example: Example, rewrite: Callable[[str], tuple[str, Moved]]) -> Example:
        context, moved = rewrite(example.inputs["context"])
        question, _ = rewrite(example.inputs["question"])
        answers = []
        for answer in example.target:
            start, end = moved(answer["start"], False), moved(answer["start"] + len(answer["text"]), True)
            answers.append({**answer, "text": context[start:end], "start": start})
        inputs = {**example.inputs, "context": context, "question": question}
        return replace(example, inputs=inputs, target=tuple(answers))

    def checks(self) -> Sequence[Callable[[Corpus], list[Finding]]]:
        from engine.tasks.qa.checks import check_answers

        return (check_answers,)
