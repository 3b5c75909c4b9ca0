"""The verdict of a report: whether a model is worth using compared with simple baselines, as a level and as one sentence.

Knows a headline metric with its interval and the paired differences to the baselines; the same rules serve every task. Does not know
whether that is good enough: it depends on what a mistake costs, which no test set contains.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.text import Text
from engine.evaluation.intervals import Difference, Interval
from engine.evaluation.metric_format import SHARES, gap_range, metric_name, number, percent

STRONG_SHARE = (
    0.25  # share of the baseline's errors that the lower limit of the difference removes, for a strong verdict
)
STRONG_VALUE = 0.75  # lower limit of the metric, for a strong verdict
WIDE = 0.10  # width of the difference's interval above which an interval that includes zero is unclear

LEVELS = {
    "strong": Text("Clearly better than simple methods", "明显优于简单方法"),
    "useful": Text("Better than simple methods", "优于简单方法"),
    "unclear": Text("Not enough evidence", "证据不足"),
    "no_better": Text("No better than simple methods", "不优于简单方法"),
}


RULE = Text(
    f"Better means that the interval of the paired difference to the best simple method lies above zero and a randomisation test agrees. "
    f"Clearly better means that, besides, at least {STRONG_SHARE:.0%} of that method's mistakes are surely gone and at least {STRONG_VALUE:.0%} is surely reached. "
    f"An interval that includes zero means no better; if it is wider than {WIDE:.0%}, not enough evidence.",
    f"“优于”指与最好的简单方法成对比较时，差距的置信区间整体大于零，且随机化检验也支持。"
    f"“明显优于”还要求至少消除了该方法 {STRONG_SHARE:.0%} 的错误，并且指标至少达到 {STRONG_VALUE:.0%}（均按区间下限计）。"
    f"区间包含零即为“不优于”；若区间宽度超过 {WIDE:.0%}，则为“证据不足”。",
)


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """A simple baseline scored on the same rows. `phrase` names it within a sentence; `difference` is the model's metric minus its own."""

    phrase: Text
    value: float
    difference: Difference
    knows_words: bool  # whether its prediction depends on the text


KEYWORDS_PHRASE = Text("keywords alone", "只看关键词的方法")
MAJORITY_PHRASE = Text("always giving the most frequent answer", "永远回答最常见类别的方法")


def decide_level(headline: Interval, baselines: list[BaselineResult], confidence: float) -> str:
    """The verdict against the best baseline: strong, useful, unclear or no_better.

    useful: the paired interval of the difference lies above zero and the randomisation test agrees. strong: besides, one of the
    baselines reads the text, the lower limit of the difference removes STRONG_SHARE of the best baseline's errors, and the lower limit
    of the metric reaches STRONG_VALUE. An interval that includes zero means no_better, unless it is wider than WIDE. An interval beside
    zero that the randomisation test does not confirm comes of too few rows: unclear.
    """
    if not baselines:
        return "unclear"
    best = max(baselines, key=lambda baseline: baseline.value)
    lead = best.difference
    if lead.is_better(confidence):
        strong = (
            any(baseline.knows_words for baseline in baselines)
            and lead.low >= STRONG_SHARE * (1 - best.value)
            and headline.low >= STRONG_VALUE
        )
        return "strong" if strong else "useful"
    if lead.is_worse(confidence) or lead.low == lead.high == 0:
        return "no_better"
    return "unclear" if not lead.low <= 0 <= lead.high or lead.high - lead.low > WIDE else "no_better"


def sentence(
    metric: str,
    headline: Interval,
    baselines: list[BaselineResult],
    rows: int,
    confidence: float,
    things: Text | None = None,
) -> Text:
    """The verdict as one sentence. `things` names the rows (texts, questions, ...)."""
    things = things or Text("texts", "文本")
    value, low, high = (number(metric, part, rows) for part in (headline.value, headline.low, headline.high))
    level = percent(confidence)
    if metric in SHARES:
        lead = Text(
            f"Right on {value} of {things.en} it had never seen ({level} interval {low} to {high})",
            f"在从未见过的{things.zh}上，答对 {value}（{level} 置信区间 {low} 到 {high}）",
        )
    else:
        name = metric_name(metric)
        lead = Text(
            f"{name.en[0].upper()}{name.en[1:]} of {value} on {things.en} it had never seen ({level} interval {low} to {high})",
            f"在从未见过的{things.zh}上，{name.zh} 为 {value}（{level} 置信区间 {low} 到 {high}）",
        )
    tail = _tail(metric, headline, baselines, rows, confidence)
    return Text(lead.en + tail.en, lead.zh + tail.zh)


def _tail(metric: str, headline: Interval, baselines: list[BaselineResult], rows: int, confidence: float) -> Text:
    """The rest of the sentence: how the metric compares with the best baseline, and how certain that is."""
    if not baselines:
        return Text(
            ". Nothing simpler was tried on the same rows, so there is no telling what that is worth.",
            "。没有在同样的数据上试过更简单的方法，因此无从判断这个结果好不好。",
        )
    level = decide_level(headline, baselines, confidence)
    best = max(baselines, key=lambda baseline: baseline.value)
    other, than, by = number(metric, best.value, rows), best.phrase, best.difference
    apart = gap_range(metric, by.low, by.high)
    if level == "strong":
        return Text(f", well ahead of {than.en} ({other}).", f"，远高于{than.zh}（{other}）。")
    if level == "useful" and not any(baseline.knows_words for baseline in baselines):
        return Text(
            f", better than {than.en} ({other}). It was not compared with keywords, so whether it takes a neural model is open.",
            f"，高于{than.zh}（{other}）。由于没有与关键词方法比较，还说不清是否真的需要神经网络。",
        )
    if level == "useful" and by.low >= STRONG_SHARE * (1 - best.value):
        if metric in SHARES:
            wrong = number(metric, 1 - headline.value, rows)
            weak = Text(f"still wrong on {wrong} of them", f"仍有 {wrong} 答错")
        else:
            weak = Text("with much left to gain", "仍有较大提升空间")
        return Text(
            f", well ahead of {than.en} ({other}), but {weak.en}.", f"，远高于{than.zh}（{other}），但{weak.zh}。"
        )
    if level == "useful":
        return Text(
            f", reliably better than {than.en} ({other}): by {apart.en}.",
            f"，确实优于{than.zh}（{other}）：差距为 {apart.zh}。",
        )
    if level == "unclear" and not by.low <= 0 <= by.high:
        amount = Text("1 test row is" if rows == 1 else f"{rows} test rows are", f"只有 {rows} 行测试数据")
        return Text(
            f". {amount.en} too few to tell whether that is better or worse than {than.en} ({other}).",
            f"。{amount.zh}，不足以断定它比{than.zh}（{other}）更好还是更差。",
        )
    if level == "unclear":
        return Text(
            f". Whether that beats {than.en} ({other}) cannot be told from {rows} test rows: the difference could be anything from {apart.en}.",
            f"。仅凭 {rows} 行测试数据，还不能断定它是否优于{than.zh}（{other}）：差距可能是 {apart.zh}之间的任何值。",
        )
    if by.is_worse(confidence):
        return Text(
            f", which is worse than {than.en} ({other}). The simple method is the better choice here.",
            f"，低于{than.zh}（{other}）。就这份数据而言，简单方法是更好的选择。",
        )
    return Text(
        f", no better than {than.en} ({other}): the difference is {apart.en}, which includes zero.",
        f"，并不优于{than.zh}（{other}）：差距为 {apart.zh}，包含零。",
    )
