"""Summarization models outside of Tunebench."""

from __future__ import annotations

from engine.core.text import Text
from engine.tasks.export_spec import GENERATION_DECODE, AnswerView, InputBox, TaskExport

EXPORT = TaskExport(
    pipeline="summarization",
    decode=GENERATION_DECODE,
    inputs={
        "document": InputBox(
            Text("Text to summarise", "待概括的文本"), "The text to shorten.", lines=10, max_length=100_000
        )
    },
    views=(AnswerView("text", "summary", Text("Summary", "摘要")),),
    metric_ids={"rouge1": "rouge", "rouge2": "rouge", "rougeL": "rouge", "rougeLsum": "rouge"},
    answer_keys=("summary",),
    intended_use=Text(
        "Writing short summaries of texts like those it was trained on, where a person looks at what matters.",
        "为与训练数据类似的文本写简短摘要；重要的内容应由人复核。",
    ),
    limits=Text(
        "It may state what the text does not say, numbers and names included, and say it fluently. Check a summary against its text before anyone relies on it.",
        "它可能写出原文中没有的内容（包括数字和人名），而且写得通顺自然。在依据摘要行事之前，请对照原文核实。",
    ),
    button=Text("Summarise", "生成摘要"),
    missing_input=Text("Paste a text", "请粘贴文本"),
    description="Summarise a text: summary, in how many parts the text was read, and whether its end was cut off.",
)
