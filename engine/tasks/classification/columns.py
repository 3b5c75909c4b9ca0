"""How the columns of a table are guesses for the task: what people call them, and how names weigh against contents.

Knows text and label. Does not read rows.
"""

from __future__ import annotations

from engine.core.text import Text
from engine.data.column_guess import BY_TEXT, Column, Guess, length_score, unassigned_columns
from engine.data.table import Table

# Names that mean a role, in English and Chinese, the surest first, in the form of `plain_name`.
ALIASES = {
    "text": "text sentence content review comment message utterance tweet post body document query question sentence1 "
    "text1 premise question1 input instruction review_text review_body text_a snippet description "
    "headline title subject feedback note reviewcontent contents statement phrase prompt 文本 内容 评论 正文 句子 评论内容 "
    "文本内容 评价 评价内容 留言 消息 原文 问题 描述 文章 语句 输入 短信 弹幕 微博 微博正文 反馈 反馈内容 问句 用户输入 对话 "
    "摘要 标题 新闻标题 新闻内容 文本1 句子1 text1",
    "text_pair": "text_pair sentence2 text2 hypothesis question2 text_b pair second_text sentence_b 文本2 句子2 第二段文本 "
    "假设 问题2 文本b 句子b",
    "label": "label labels category class intent target sentiment topic tag tags y gold categories emotion classification "
    "genre polarity answer output stance rating stars star score toxic spam is_duplicate type group "
    "标签 类别 分类 情感 意图 类型 主题 标注 情绪 情感倾向 情感标签 标签值 分类标签 类目 所属类别 极性 评分 星级 打分 结果 领域 "
    "评价类型 一级分类",
}
BY_CLASSES = Text("it holds few short values that repeat", "内容是少量重复出现的短值")


def guess(table: Table, given: dict[str, str]) -> dict[str, Guess]:
    """The columns of the roles that `given` leaves open."""
    columns = unassigned_columns(table, ALIASES, given)

    def text_score(column: Column) -> float:
        if not column.readable:
            return -1.0
        few = column.facts.is_label_like and len(table) >= 10
        varied = 0.0 if few else 0.3
        return 0.6 * column.named("text") + varied + 0.3 * length_score(column)

    def label_score(column: Column) -> float:
        facts, named = column.facts, column.named("label")
        if facts.filled == 0 or facts.date >= 0.5 or column.identifies or facts.spans >= 0.5 or facts.chars > 200:
            return -1.0
        if facts.is_label_like or facts.lists > 0.5:
            alike = 1 - facts.distinct / max(1, facts.rows)
            return 0.6 * named + 0.25 + 0.1 * alike + 0.01 * column.place / max(1, len(columns))
        # A small table may have few rows of each class; then the name decides.
        return 0.6 * named if named >= 0.5 and (facts.rows < 200 or facts.repeated > 0.3) else -1.0

    guesses: dict[str, Guess] = {}
    best: tuple[float, Column | None, Column | None] = (0.0, None, None)
    for text in columns if "text" not in given else [None]:
        for label in columns if "label" not in given else [None]:
            if text is label and text is not None:
                continue
            scores = [text_score(text) if text else 0.0, label_score(label) if label else 0.0]
            if min(scores) >= 0 and (best[1] is best[2] is None or sum(scores) > best[0]):
                best = (sum(scores), text, label)
    _, text, label = best
    if text is None and "text" not in given:  # no pair: take what there is
        text = max((c for c in columns if text_score(c) >= 0), key=text_score, default=None)
    if label is None and "label" not in given:
        label = max((c for c in columns if label_score(c) >= 0 and c is not text), key=label_score, default=None)
    if text:
        guesses["text"] = text.guess("text", text_score(text), BY_TEXT)
    if label:
        guesses["label"] = label.guess("label", label_score(label), BY_CLASSES)
    pairs = [
        c
        for c in columns
        if c not in (text, label) and c.facts.text >= 0.6 and not c.identifies and c.named("text_pair") >= 0.6
    ]
    if pairs and (text or "text" in given):
        pair = max(pairs, key=lambda c: c.named("text_pair"))
        guesses["text_pair"] = pair.guess("text_pair", pair.named("text_pair"), BY_TEXT)
    return guesses
