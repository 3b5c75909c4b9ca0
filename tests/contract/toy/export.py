"""How stars are exported."""

from __future__ import annotations

from engine.core.text import Text
from engine.tasks.export_spec import AnswerView, InputBox, TaskExport

EXPORT = TaskExport(
    pipeline="text-classification",
    auto_class="AutoModelForSequenceClassification",
    logits=("logits",),
    decode="tests.contract.toy.decode",
    inputs={"sentence": InputBox(Text("Sentence", "句子"), "The sentence to give stars.")},
    views=(AnswerView("text", "shown", Text("Stars", "星级")),),
    metric_ids={"closeness": "mae"},
    answer_keys=("stars",),
    intended_use=Text("Giving stars to sentences.", "为句子打星级。"),
    limits=Text("It gives stars to anything.", "它会给任何内容打分。"),
    button=Text("Give stars", "打分"),
    missing_input=Text("Type a sentence", "请输入句子"),
    description="The stars of a sentence.",
)
