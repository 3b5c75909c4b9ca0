"""How the columns of a table are guesses for the task: what people call them, and how names weigh against contents.

Knows document and summary. Does not read rows.
"""

from __future__ import annotations

from engine.core.text import Text
from engine.data.column_guess import BY_TEXT, Column, Guess, unassigned_columns
from engine.data.column_names import plain_name
from engine.data.table import Table

# Names that mean a role, in English and Chinese, the surest first, in the form of `plain_name`.
ALIASES = {
    "document": "document article dialogue text content body story source report input passage maintext main_text full_text "
    "transcript conversation news note 正文 原文 文章 内容 文档 全文 新闻内容 对话 文本 文章内容 新闻正文",
    "summary": "summary summaries highlights abstract target tldr headline summary_text reference output gist title section "
    "摘要 概要 总结 概述 标题 新闻标题 文章摘要 参考摘要 小结 要点",
}
BY_SHORTER = Text("it is shorter than the document", "比文档更短")


def guess(table: Table, given: dict[str, str]) -> dict[str, Guess]:
    """The columns of the roles that `given` leaves open."""
    columns = unassigned_columns(table, ALIASES, given)
    texts = [c for c in columns if (c.readable or c.facts.lists >= 0.9) and not c.identifies and c.facts.spans < 0.5]
    longest = max((c.facts.chars for c in texts), default=1.0) or 1.0

    def document_score(column: Column) -> float:
        return 0.5 * column.named("document") + 0.5 * column.facts.chars / longest

    def summary_score(column: Column) -> float:
        named = column.named("summary")
        if column.facts.lists >= 0.9 and plain_name(column.name) in ("label", "labels"):
            named = max(named, 0.6)  # how doccano writes the texts that it was given for a text
        if column.facts.is_label_like and named < 0.6:
            return -1.0
        return 0.6 * named + 0.2 * min(column.facts.chars, 60) / 60

    guesses: dict[str, Guess] = {}
    pairs = []
    for document in texts if "document" not in given else [None]:
        for summary in texts if "summary" not in given else [None]:
            if document is not None and document is summary:
                continue
            # A column of lists (several references) has no length of its own.
            if document and summary and summary.facts.lists < 0.9 and summary.facts.chars >= document.facts.chars:
                continue
            score = (document_score(document) if document else 0.0) + (summary_score(summary) if summary else 0.0)
            if not summary or summary_score(summary) > 0:
                pairs.append((score, document, summary))
    _, document, summary = max(pairs, key=lambda pair: pair[0], default=(0.0, None, None))
    if document is None and "document" not in given:
        document = max(texts, key=document_score, default=None)
    if document:
        guesses["document"] = document.guess("document", document_score(document), BY_TEXT)
    if summary:
        guesses["summary"] = summary.guess("summary", summary_score(summary), BY_SHORTER)
    return guesses
