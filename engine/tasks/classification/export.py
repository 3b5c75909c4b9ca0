"""Text classifiers outside of Tunebench."""

from __future__ import annotations

from typing import Any

from engine.core.text import Text
from engine.tasks.export_spec import AnswerView, InputBox, TaskExport


def _pipeline_arguments(report: dict[str, Any]) -> dict[str, Any]:
    return {"function_to_apply": "sigmoid", "top_k": None} if report.get("multi_label") else {}


EXPORT = TaskExport(
    pipeline="text-classification",
    auto_class="AutoModelForSequenceClassification",
    logits=("logits",),
    decode="engine.tasks.classification.decode",
    inputs={
        "text": InputBox(Text("Text", "文本"), "The text to classify; a long one is read in windows.", lines=5),
        "text_pair": InputBox(
            Text("Second text", "第二段文本"), "A second text, for models that compare two.", lines=3
        ),
    },
    views=(AnswerView("label_scores", "probabilities", Text("Answer", "回答")),),
    metric_ids={"accuracy": "accuracy", "macro_f1": "f1", "micro_f1": "f1", "weighted_f1": "f1"},
    answer_keys=("label", "labels", "confidence"),
    intended_use=Text(
        "Giving texts like those it was trained on one of the labels below, where a person looks at what matters.",
        "为与训练数据类似的文本给出下列标签之一；重要的结果应由人复核。",
    ),
    limits=Text(
        "It knows no other labels and gives one of its own to every text, also to one that has nothing to do with them.",
        "它只认识下列标签，对任何文本都会给出其中之一，哪怕该文本与这些标签毫不相干。",
    ),
    button=Text("Ask the model", "让模型回答"),
    missing_input=Text("Type a text", "请输入文本"),
    description="Ask the model about a text: the label, its confidence, and the probability of each label.",
    pipeline_arguments=_pipeline_arguments,
)
