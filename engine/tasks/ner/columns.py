"""How the columns of a table are guesses for the task: what people call them, and how names weigh against contents.

Knows text and spans, or tokens and tags. Does not read rows.
"""

from __future__ import annotations

from engine.core.text import Text
from engine.data.column_guess import BY_TEXT, Column, Guess, length_score, unassigned_columns
from engine.data.profile import same_lengths
from engine.data.table import Table

# Names that mean a role, in English and Chinese, the surest first, in the form of `plain_name`.
ALIASES = {
    "text": "text sentence content raw_text document message 文本 内容 句子 原文 正文 语句",
    "spans": "spans entities span entity label labels annotations ents 实体 实体区间 标注 实体标注 标签 实体列表",
    "tokens": "tokens words token word text_tokens characters chars 词 词元 字 分词 词语 单词 字符",
    "tags": "ner_tags tags labels ner bio_tags tag label bio ner_labels entity_tags iob 标注 标签 实体标签 序列标注 标记",
}
BY_LISTS = Text("its lists fit", "列表内容相符")


def guess(table: Table, given: dict[str, str]) -> dict[str, Guess]:
    """The columns of the roles that `given` leaves open."""
    columns = unassigned_columns(table, ALIASES, given)
    # Where every list is empty the name alone can tell; the message that nothing is marked then names the right column.
    marked = [c for c in columns if c.facts.spans >= 0.5 or (c.facts.lists >= 0.9 and c.named("spans") >= 0.9)]
    spans = max(marked, key=lambda c: c.facts.spans + c.named("spans"), default=None)
    texts = [c for c in columns if c.readable and c is not spans]
    text = max(texts, key=lambda c: 0.6 * c.named("text") + 0.4 * length_score(c), default=None)
    if (spans or "spans" in given) and (text or "text" in given):
        guesses = {}
        if text:
            guesses["text"] = text.guess("text", 0.6 * text.named("text") + 0.4, BY_TEXT)
        if spans:
            guesses["spans"] = spans.guess("spans", 0.6 * spans.named("spans") + 0.4, BY_LISTS)
        return guesses

    def tag_score(column: Column) -> float:
        facts, named = column.facts, column.named("tags")
        listed = facts.lists >= 0.9 and named >= 0.5
        return facts.tags + named if facts.tags >= 0.9 or listed else 0.0

    best: tuple[float, Column, Column] | None = None
    for second in columns:
        score = tag_score(second)
        for first in columns if score else []:
            if first is second or first.facts.tags >= 0.9 or not same_lengths(table, first.name, second.name):
                continue
            total = score + first.named("tokens") + 0.2 * (first.facts.lists >= 0.9)
            if total > (best[0] if best else 0.0):
                best = (total, first, second)
    guesses = {}
    if best:
        _, tokens, tags = best
        guesses["tokens"] = tokens.guess("tokens", 0.6 * tokens.named("tokens") + 0.4, BY_LISTS)
        guesses["tags"] = tags.guess("tags", 0.6 * tags.named("tags") + 0.4, BY_LISTS)
    elif text:
        guesses["text"] = text.guess("text", 0.5 * text.named("text"), BY_TEXT)
    return guesses
