"""The columns each task reads. Apart from the tasks themselves so that the page and the command line need not import torch."""

from __future__ import annotations

from engine.core.text import Text
from engine.schema import Role

TEXT = Role("text", Text("Text", "文本"), Text("What the model reads.", "模型读取的内容。"))
TEXT_PAIR = Role(
    "text_pair",
    Text("Second text", "第二段文本"),
    Text("For tasks that compare two texts.", "用于比较两段文本的任务。"),
    required=False,
)
LABEL = Role("label", Text("Label", "标签"), Text("What the model should answer.", "模型应给出的答案。"))

ROLES: dict[str, tuple[Role, ...]] = {
    "classification": (TEXT, TEXT_PAIR, LABEL),
    "ner": (
        Role("text", TEXT.label, TEXT.help, required=False),
        Role(
            "spans",
            Text("Spans", "实体区间"),
            Text("Entities as character spans: start, end, label.", "实体的字符区间：start、end、label。"),
            required=False,
        ),
        Role("tokens", Text("Tokens", "词元"), Text("The words of each row.", "每行的词列表。"), required=False),
        Role("tags", Text("Tags", "标注"), Text("One tag for each token.", "每个词对应的标注。"), required=False),
    ),
    "qa": (
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
    ),
    "summarization": (
        Role("document", Text("Document", "文档"), Text("The text to shorten.", "需要概括的文本。")),
        Role(
            "summary",
            Text("Summary", "摘要"),
            Text("What it comes down to; several references as a list.", "文本的要点；多个参考摘要用列表。"),
        ),
    ),
}

# What a model reads of a row, in the order in which a person gives it. What is trained on may come in other columns (NER's tokens).
READS: dict[str, tuple[str, ...]] = {
    "classification": ("text", "text_pair"),
    "ner": ("text",),
    "qa": ("context", "question"),
    "summarization": ("document",),
}
_OPTIONAL = {("classification", "text_pair")}


def must_read(task: str, name: str) -> bool:
    """Whether a row without this input cannot be answered."""
    return (task, name) not in _OPTIONAL


def role_of(task: str, name: str) -> Role:
    """The role of that name. KeyError when the task has none."""
    return {role.name: role for role in ROLES[task]}[name]
