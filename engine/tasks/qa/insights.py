"""The insights below the verdict that only question answering has.

Knows when an insight is due and how it is worded. Does not know how the numbers in it were computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.core.text import Text
from engine.evaluation.insights import LEAKED, SHORTFALL, Insight, insight
from engine.evaluation.intervals import Difference, Interval
from engine.evaluation.metric_format import count, gap, gap_range, listing, number, percent


def exact_match(exact: Interval, partial: float, rows: int) -> Insight:
    """What F1 is made of: how many answers are right to the letter, and how many overlap."""
    value, low, high = (number("exact_match", part, rows) for part in (exact.value, exact.low, exact.high))
    overlap = percent(partial)
    return insight(
        "exact_match",
        Text(
            f"{value} of the answers are exactly right ({low} to {high}), and {overlap} overlap the right answer. F1 gives those credit for what they share with it.",
            f"{value} 的回答完全正确（{low} 到 {high}），另有 {overlap} 与正确答案部分重合；F1 会按重合的多少给分。",
        ),
    )


def overlap(metric: str, sentence: float, window: float, lead: Difference, rows: int, confidence: float) -> Insight:
    """How the model compares with word overlap."""
    best, words = number(metric, sentence, rows), number(metric, window, rows)
    apart = gap_range(metric, lead.low, lead.high)
    if lead.is_better(confidence):
        by = gap(metric, lead.value)
        text = Text(
            f"Giving the sentence most like the question reaches {best}, the likeliest words in it {words}. The tuned model is {by.en} ahead of the better one ({percent(confidence)} interval {apart.en}).",
            f"直接给出与问题最相似的句子可达到 {best}，取其中最可能的片段为 {words}。微调后的模型比其中较好者高 {by.zh}（{percent(confidence)} 置信区间 {apart.zh}）。",
        )
    elif lead.is_worse(confidence):
        by = gap(metric, lead.value)
        text = Text(
            f"Giving the sentence most like the question reaches {best}, the likeliest words in it {words}: the tuned model is {by.en} behind the better one ({percent(confidence)} interval {apart.en}).",
            f"直接给出与问题最相似的句子可达到 {best}，取其中最可能的片段为 {words}：微调后的模型反而比其中较好者低 {by.zh}（{percent(confidence)} 置信区间 {apart.zh}）。",
        )
    else:
        text = Text(
            f"Giving the sentence most like the question reaches {best}, the likeliest words in it {words}. The tuned model is not surely ahead of the better one (difference {apart.en}).",
            f"直接给出与问题最相似的句子可达到 {best}，取其中最可能的片段为 {words}。不能确定微调后的模型优于其中较好者（差距 {apart.zh}）。",
        )
    return insight("word_overlap", text)


def silence(answerable: Sequence[str], unanswerable: Sequence[str]) -> Insight | None:
    """How well it knows what the text does not say; the arguments are outcomes (report_parts.OUTCOMES)."""
    if not answerable or not unanswerable:
        return None
    right = percent(list(unanswerable).count("silent_right") / len(unanswerable))
    missed = percent(list(answerable).count("missed") / len(answerable))
    return insight(
        "silence",
        Text(
            f"Of {count(len(unanswerable))} questions that their text does not answer, it says so of {right}. Of {count(len(answerable))} that it does answer, it wrongly says “no answer” of {missed}.",
            f"在文中没有答案的 {count(len(unanswerable))} 个问题里，它正确指出了 {right}；在有答案的 {count(len(answerable))} 个问题里，它误判为无答案的占 {missed}。",
        ),
    )


def threshold(section: dict[str, Any], rows: int) -> Insight:
    """What choosing the threshold on the validation rows brought on the test rows."""
    chosen, zero, always = (number("f1", section["test"][key], rows) for key in ("chosen", "zero", "always"))
    limit = f"{section['value']:+.2f}".replace("-", "−")
    return insight(
        "threshold",
        Text(
            f"It says “no answer” when that scores more than {limit} above the best span, as the {count(section['rows'])} validation rows suggest: F1 {chosen} on the test rows, against {zero} at a threshold of 0 and {always} if it always answered.",
            f"当“无答案”的得分比最佳片段高出 {limit} 以上时，它回答“没有答案”。该阈值由 {count(section['rows'])} 行验证数据选定：测试集 F1 为 {chosen}，阈值取 0 时为 {zero}，总是作答时为 {always}。",
        ),
    )


def weak_questions(slices: Sequence[dict[str, Any]], overall: Interval) -> Insight | None:
    """Kinds of question whose interval lies below the score of all."""
    weak = [
        part
        for part in slices
        if part["kind"] == "question_word"
        and part["high"] < overall.value
        and part["value"] < overall.value - SHORTFALL
    ]
    if not weak:
        return None
    names = listing([f"“{part['name']['en']}” ({number('f1', part['value'], part['n'])})" for part in weak])
    names_zh = listing([f"“{part['name']['zh']}”（{number('f1', part['value'], part['n'])}）" for part in weak])
    return insight(
        "weak_questions",
        Text(
            f"Weak on questions with {names.en}; all together reach {overall.value:.2f}.",
            f"薄弱的问法：{names_zh.zh}；全部问题合计为 {overall.value:.2f}。",
        ),
    )


def seen_contexts(seen: int, rows: int, fresh: float | None) -> Insight | None:
    """Test questions about a text that training asked about too: other answers in it were seen."""
    if seen / rows < LEAKED:
        return None
    share = percent(seen / rows, 1)
    rest = Text("", "")
    if fresh is not None:
        value = number("f1", fresh, rows)
        rest = Text(f" On the others F1 is {value}.", f"其余问题的 F1 为 {value}。")
    return insight(
        "leakage",
        Text(
            f"{count(seen)} test questions ({share}) are about a context that training had too, so the score flatters.{rest.en}",
            f"有 {count(seen)} 个测试问题（{share}）的原文在训练集中出现过，分数会偏高。{rest.zh}",
        ),
    )
