"""How errors, readings and baselines of a tagger are named, in both languages."""

from __future__ import annotations

from engine.core.text import Text

TEXTS = Text("texts", "文本")

LEXICON = (
    Text("Memory", "照搬训练集"),
    Text(
        "Finds the entities of the training rows again, the longest first: what can be had without a model.",
        "在文本中查找训练集里出现过的实体（最长匹配）：不用模型也能做到的水平。",
    ),
)
LEXICON_PHRASE = Text("looking up the entities of the training rows", "照搬训练集实体的方法")
UNTUNED = (
    Text("Untuned model", "微调前的模型"),
    Text(
        "The pretrained model as it came, giving each word the tag whose average word is nearest.",
        "预训练模型不做任何训练，按每个词与各类标注平均向量的距离作答。",
    ),
)

ERROR_NAMES: dict[str, Text] = {
    "missed": Text("Missed", "漏掉"),
    "invented": Text("Invented", "误报"),
    "type": Text("Wrong type", "类型错误"),
    "boundary": Text("Wrong boundary", "边界错误"),
    "both": Text("Wrong type and boundary", "类型和边界都错"),
}
ERROR_HELP: dict[str, Text] = {
    "missed": Text("An entity to which nothing was answered.", "标注中有实体，模型没有给出。"),
    "invented": Text("An answer where there is no entity.", "标注中没有实体，模型却给出了。"),
    "type": Text("The right place, another type.", "位置正确，类型不同。"),
    "boundary": Text("The right type, but it begins or ends elsewhere.", "类型正确，但起点或终点不同。"),
    "both": Text("It overlaps an entity of another type.", "与另一类型的实体部分重叠。"),
}

SCHEMA_NAMES: dict[str, Text] = {
    "strict": Text("Strict", "严格"),
    "exact": Text("Exact place", "边界一致"),
    "partial": Text("Partial", "部分重叠"),
    "type": Text("Type", "类型一致"),
}
SCHEMA_HELP: dict[str, Text] = {
    "strict": Text("Place and type must both be right.", "边界和类型都必须正确。"),
    "exact": Text("The place must be right; the type does not count.", "边界必须正确，不看类型。"),
    "partial": Text(
        "An overlap counts half, the right place whole; the type does not count.",
        "边界正确计 1，仅重叠计 0.5，不看类型。",
    ),
    "type": Text("An overlap of the right type is enough.", "有重叠且类型正确即可。"),
}
OUTCOME_NAMES: dict[str, Text] = {
    "correct": Text("correct", "正确"),
    "incorrect": Text("incorrect", "错误"),
    "partial": Text("partial", "部分"),
    "missed": Text("missed", "漏掉"),
    "spurious": Text("spurious", "多余"),
}
SEEN_NAMES: dict[str, Text] = {
    "seen": Text("occurred in training", "训练集中出现过"),
    "new": Text("new", "训练集中没有"),
}
