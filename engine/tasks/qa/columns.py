"""How the columns of a table are guesses for the task: what people call them, and how names weigh against contents.

Knows context, question and answers. Does not read rows.
"""

from __future__ import annotations

from engine.core.text import Text
from engine.data.column_guess import BY_NAME, BY_TEXT, Column, Guess, unassigned_columns
from engine.data.profile import contained
from engine.data.table import Table

# Names that mean a role, in English and Chinese, the surest first, in the form of `plain_name`.
ALIASES = {
    "context": "context passage paragraph article text document content story background 原文 上下文 段落 文章 正文 材料 背景 "
    "内容 文本 篇章 阅读材料",
    "question": "question query questions ask prompt 问题 提问 问句 疑问 题目 问",
    "answers": "answers answer answer_text gold_answer reference answer_spans 答案 回答 参考答案 标准答案 答 答案文本",
    "answer_start": "answer_start start answer_begin start_position answer_offset char_start 答案起点 答案位置 起始位置 答案起始 "
    "答案开始位置 起点",
}
BY_QUESTIONS = Text("it holds questions", "内容是问句")
BY_CONTAINED = Text("its cells stand word for word in the context", "内容原样出现在原文中")


def guess(table: Table, given: dict[str, str]) -> dict[str, Guess]:
    """The columns of the roles that `given` leaves open."""
    columns = unassigned_columns(table, ALIASES, given)
    guesses: dict[str, Guess] = {}
    free = list(columns)

    def take(role: str, scored: list[tuple[float, Column]], otherwise: Text) -> None:
        score, column = max(scored, key=lambda pair: pair[0], default=(0.0, None))
        if column is not None and score > 0:
            guesses[role] = column.guess(role, score, otherwise)
            free.remove(column)

    texts = [c for c in free if c.readable]
    if "question" not in given:
        scored = [(0.6 * c.named("question") + 0.4 * c.facts.question - 0.05, c) for c in texts]
        take("question", [pair for pair in scored if pair[0] > 0.2], BY_QUESTIONS)
    if "context" not in given:
        others = [c for c in texts if c in free]
        scored = [(0.6 * c.named("context") + 0.4 * min(c.facts.chars, 500) / 500, c) for c in others]
        take(
            "context",
            [pair for pair in scored if pair[1].named("context") >= 0.3 or pair[1].facts.chars > 80],
            BY_TEXT,
        )
    context = given.get("context") or (guesses["context"].column if "context" in guesses else "")
    if "answers" not in given:
        scored = []
        for c in free:
            if c.identifies or c.facts.filled == 0:
                continue
            inside = contained(table, c.name, context) if context else 0.0
            shaped = 0.6 if c.facts.answers >= 0.5 else 0.0
            fits = shaped or c.facts.lists >= 0.5 or inside > 0.5 or c.named("answers") >= 0.6
            scored.append((0.6 * c.named("answers") + 0.4 * inside + shaped if fits else 0.0, c))
        take("answers", scored, BY_CONTAINED)
    if "answer_start" not in given:
        scored = [
            (c.named("answer_start"), c) for c in free if c.facts.number >= 0.9 and c.named("answer_start") >= 0.3
        ]
        take("answer_start", scored, BY_NAME)
    return guesses


def identifier_column(columns: list[str]) -> str:
    """The column that names the questions; empty where there is none."""
    return next((name for name in columns if name.casefold() in ("id", "qid", "question_id")), "")
