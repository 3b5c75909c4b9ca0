"""How the toy task is exported."""

from __future__ import annotations

from engine.core.text import Text
from engine.tasks.export_spec import AnswerView, InputBox, TaskExport

EXPORT = TaskExport(
    pipeline="text-classification",
    auto_class="AutoModelForSequenceClassification",
    logits=("logits",),
    decode="tests.engine.export.toy.decode",
    inputs={"text": InputBox(Text("Text", "文本"), "The text.")},
    views=(AnswerView("text", "shout", Text("Shout", "呼喊")),),
    metric_ids={"accuracy": "accuracy"},
    answer_keys=("shout",),
    intended_use=Text("Shouting.", "呼喊。"),
    limits=Text("It does not whisper.", "它不会低语。"),
    button=Text("Shout", "呼喊"),
    missing_input=Text("Type a text", "请输入文本"),
    description="Shout the label of a text.",
)
