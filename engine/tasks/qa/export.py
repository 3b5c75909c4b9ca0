"""Extractive question-answering models outside of Tunebench."""

from __future__ import annotations

from engine.core.text import Text
from engine.tasks.export_spec import AnswerView, InputBox, TaskExport

EXPORT = TaskExport(
    pipeline="question-answering",
    auto_class="AutoModelForQuestionAnswering",
    logits=("start_logits", "end_logits"),
    decode="engine.tasks.qa.decode",
    inputs={
        "context": InputBox(
            Text("Text that holds the answer", "包含答案的文本"),
            "The text that holds the answer; a long one is read in windows.",
            lines=8,
        ),
        "question": InputBox(Text("Question", "问题"), "What is asked about it.", lines=1, max_length=2_000),
    },
    views=(
        AnswerView("text", "answer", Text("Answer", "答案")),
        AnswerView("spans", "", text_input="context"),
    ),
    metric_ids={"exact_match": "exact_match", "f1": "f1"},
    answer_keys=("answer", "start", "end", "confidence"),
    intended_use=Text(
        "Finding the words of a given text that answer a question about it, where a person looks at what matters.",
        "在给定的文本中找出能回答问题的原文片段；重要的结果应由人复核。",
    ),
    limits=Text(
        "It quotes and does not reason: an answer that is not in the text word for word is out of its reach.",
        "它只会摘录原文而不会推理：原文中没有逐字出现的答案，它给不出来。",
    ),
    button=Text("Ask the model", "让模型回答"),
    missing_input=Text("Give a text and a question", "请输入文本和问题"),
    description="Find the answer to a question in a text: answer, start, end and confidence; an empty answer where there is none.",
)
