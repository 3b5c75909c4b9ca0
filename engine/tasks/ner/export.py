"""Named-entity taggers outside of Tunebench."""

from __future__ import annotations

from typing import Any

from engine.core.text import Text
from engine.tasks.export_spec import AnswerView, InputBox, TaskExport


def _pipeline_arguments(report: dict[str, Any]) -> dict[str, Any]:
    return {"aggregation_strategy": "simple"}


EXPORT = TaskExport(
    pipeline="token-classification",
    auto_class="AutoModelForTokenClassification",
    logits=("logits",),
    decode="engine.tasks.ner.decode",
    inputs={"text": InputBox(Text("Text", "文本"), "The text to read; a long one is read in windows.")},
    views=(AnswerView("spans", "entities", Text("Entities", "实体"), text_input="text"),),
    metric_ids={"f1": "f1", "precision": "precision", "recall": "recall"},
    answer_keys=("entities",),
    intended_use=Text(
        "Finding the types of entities below in texts like those it was trained on, where a person looks at what matters.",
        "在与训练数据类似的文本中找出下列类型的实体；重要的结果应由人复核。",
    ),
    limits=Text(
        "It knows no other types, and misses names that are written differently from those it has seen.",
        "它不认识其他类型；写法与训练数据差别较大的实体可能会被漏掉。",
    ),
    button=Text("Find the entities", "识别实体"),
    missing_input=Text("Type a text", "请输入文本"),
    description="Find the named entities of a text: start, end, label, text and score of each.",
    pipeline_arguments=_pipeline_arguments,
)
