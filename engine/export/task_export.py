"""What leaving means for each task: what it is called outside, and which program asks its models.

A task needs one entry here and its `program/answering_<task>.py`. Knows names; does not know runs or files.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.text import Text


@dataclass(frozen=True, slots=True)
class TaskExport:
    """`pipeline` is the hub's task id. `auto_class` is what transformers loads the model with, "" where that depends on its family;
    `onnx_outputs` are what an ONNX file answers with, none for models that write text. `cards` names the metrics that go into the card's front matter, as the
    hub's metric ids. `answered` are the keys of an answer that say whether two models answered the same.
    """

    pipeline: str
    auto_class: str
    onnx_outputs: tuple[str, ...]
    cards: dict[str, str]
    answered: tuple[str, ...]
    rules: tuple[str, ...]  # modules of the engine that go along (rules.py)
    intended: Text
    unfit: Text


TASK_EXPORTS: dict[str, TaskExport] = {
    "classification": TaskExport(
        pipeline="text-classification",
        auto_class="AutoModelForSequenceClassification",
        onnx_outputs=("logits",),
        cards={"accuracy": "accuracy", "macro_f1": "f1", "micro_f1": "f1", "weighted_f1": "f1"},
        answered=("label", "labels", "confidence"),
        rules=(),
        intended=Text(
            "Giving texts like those it was trained on one of the labels below, where a person looks at what matters.",
            "为与训练数据类似的文本给出下列标签之一；重要的结果应由人复核。",
        ),
        unfit=Text(
            "It knows no other labels and gives one of its own to every text, also to one that has nothing to do with them.",
            "它只认识下列标签，对任何文本都会给出其中之一，哪怕该文本与这些标签毫不相干。",
        ),
    ),
    "ner": TaskExport(
        pipeline="token-classification",
        auto_class="AutoModelForTokenClassification",
        onnx_outputs=("logits",),
        cards={"f1": "f1", "precision": "precision", "recall": "recall"},
        answered=("entities",),
        rules=(
            "engine.tasks.ner.pieces",
            "engine.tasks.ner.decoding",
            "engine.tasks.ner.alignment",
            "engine.tasks.ner.words",
        ),
        intended=Text(
            "Finding the types of entities below in texts like those it was trained on, where a person looks at what matters.",
            "在与训练数据类似的文本中找出下列类型的实体；重要的结果应由人复核。",
        ),
        unfit=Text(
            "It knows no other types, and misses names that stand otherwise than those it has seen.",
            "它不认识其他类型；写法与训练数据差别较大的实体可能会被漏掉。",
        ),
    ),
    "qa": TaskExport(
        pipeline="question-answering",
        auto_class="AutoModelForQuestionAnswering",
        onnx_outputs=("start_logits", "end_logits"),
        cards={"exact_match": "exact_match", "f1": "f1"},
        answered=("answer", "start", "end", "confidence"),
        rules=("engine.tasks.qa.windows", "engine.tasks.qa.spans"),
        intended=Text(
            "Finding the words of a given text that answer a question about it, where a person looks at what matters.",
            "在给定的文本中找出能回答问题的原文片段；重要的结果应由人复核。",
        ),
        unfit=Text(
            "It quotes and does not reason: an answer that does not stand in the text word for word is out of its reach.",
            "它只会摘录原文而不会推理：原文中没有逐字出现的答案，它给不出来。",
        ),
    ),
    "summarization": TaskExport(
        pipeline="summarization",
        auto_class="",
        onnx_outputs=(),
        cards={"rouge1": "rouge", "rouge2": "rouge", "rougeL": "rouge", "rougeLsum": "rouge"},
        answered=("summary",),
        rules=("engine.generation.generator", "engine.generation.prompt_encoder", "engine.generation.generation_spec"),
        intended=Text(
            "Writing short summaries of texts like those it was trained on, where a person looks at what matters.",
            "为与训练数据类似的文本写简短摘要；重要的内容应由人复核。",
        ),
        unfit=Text(
            "It may state what the text does not say, numbers and names included, and say it fluently. Check a summary against its text before anyone relies on it.",
            "它可能写出原文中没有的内容（包括数字和人名），而且写得通顺自然。在依据摘要行事之前，请对照原文核实。",
        ),
    ),
}
