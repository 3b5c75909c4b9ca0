"""How numbers are named and written in sentences, in both languages.

Knows metrics by name and how many digits a number of rows can carry. Does not know what the numbers mean for anyone. Metrics of the
field stand here; those that only one task has come with its spec (`TaskSpec.own_metrics`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.core.text import Text

METRICS: dict[str, Text] = {
    "accuracy": Text("accuracy", "准确率"),
    "macro_f1": Text("macro F1", "宏平均 F1"),
    "micro_f1": Text("micro F1", "微平均 F1"),
    "weighted_f1": Text("weighted F1", "加权 F1"),
    "roc_auc": Text("AUC", "AUC"),
    "average_precision": Text("average precision", "平均精度（AP）"),
    "precision": Text("precision", "精确率"),
    "recall": Text("recall", "召回率"),
    "f1": Text("F1", "F1"),
    "exact_match": Text("exact match", "完全匹配率"),
    "rouge1": Text("ROUGE-1", "ROUGE-1"),
    "rouge2": Text("ROUGE-2", "ROUGE-2"),
    "rougeL": Text("ROUGE-L", "ROUGE-L"),
    "rougeLsum": Text("ROUGE-Lsum", "ROUGE-Lsum"),
    "likelihood": Text("likelihood", "似然"),
}

METRIC_HELP: dict[str, Text] = {
    "exact_match": Text(
        "Share of questions answered to the letter; case, punctuation and articles do not count.",
        "与参考答案完全一致的问题所占比例（忽略大小写、标点和英文冠词）。",
    ),
    "accuracy": Text("Share of rows answered right.", "答对的行所占的比例。"),
    "macro_f1": Text(
        "Mean F1 of the classes, rare ones counting as much as frequent ones.",
        "各类别 F1 的平均，稀有类别与常见类别同等重要。",
    ),
    "micro_f1": Text("F1 over all decisions together.", "把所有判断合在一起计算的 F1。"),
    "weighted_f1": Text("Mean F1 of the classes, weighted by their rows.", "按各类别行数加权平均的 F1。"),
    "roc_auc": Text(
        "Chance that a row of a class is ranked above a row of another; mean over the classes. 0.5 is guessing.",
        "属于某类的行排在其他行之前的概率，对各类别取平均；0.5 相当于瞎猜。",
    ),
    "average_precision": Text(
        "Area under the precision-recall curve, mean over the classes.", "精确率-召回率曲线下面积，对各类别取平均。"
    ),
    "rouge1": Text("Words shared with the reference summary.", "与参考摘要相同的词（中文按字）。"),
    "rouge2": Text("Pairs of neighbouring words shared with it.", "与参考摘要相同的相邻词对。"),
    "rougeL": Text("Words shared with it in the same order.", "与参考摘要顺序一致的相同词。"),
    "rougeLsum": Text("The same, sentence by sentence.", "逐句计算的 ROUGE-L。"),
    "likelihood": Text(
        "The mean probability that the model gives to each next token of the reference.",
        "模型给参考摘要中每个 token 的平均概率。",
    ),
}

# Shares of rows read best as per cent; the others are scores between 0 and 1.
SHARES = {"accuracy", "exact_match"}


@dataclass(frozen=True, slots=True)
class MetricWords:
    """A metric in words. `share` tells whether it is a share of rows, which is written as per cent."""

    name: Text
    help: Text
    share: bool = False


def add_metrics(metrics: Mapping[str, MetricWords]) -> None:
    """Make metrics known by name. ValueError where a name has another meaning already."""
    for name, words in metrics.items():
        if METRICS.setdefault(name, words.name) != words.name:
            raise ValueError(f"the metric {name} is {METRICS[name].en}, not {words.name.en}")
        METRIC_HELP[name] = words.help
        if words.share:
            SHARES.add(name)


def metric_help(metric: str) -> Text | None:
    """What a metric means in general; a task may say more exactly (`TaskSpec.metric_help`)."""
    return METRIC_HELP.get(metric)


def metric_name(metric: str) -> Text:
    return METRICS.get(metric, Text(metric, metric))


def number(metric: str, value: float, rows: int) -> str:
    """A metric's value with the digits that `rows` test rows can carry: 92.7% or 0.927, on few rows 93% or 0.93."""
    if math.isnan(value):
        return "–"
    fine = rows >= 200
    if metric in SHARES:
        return percent(value, 1 if fine else 0)
    return f"{value:.3f}" if fine else f"{value:.2f}"


def percent(share: float, digits: int = 0) -> str:
    """100% and 0% stand for nothing less: 0.996 is 99.6% even without digits, and 0.99999 is >99.9%."""
    for precise in (digits, digits + 1):
        text = f"{100 * share:.{precise}f}"
        if share in (0.0, 1.0) or float(text) not in (0.0, 100.0):
            return f"{text}%"
    edge = 10.0**-precise
    return f">{100 - edge:.{precise}f}%" if share > 0.5 else f"<{edge:.{precise}f}%"


def gap(metric: str, value: float, signed: bool = False) -> Text:
    """A difference between two values of a metric: 3.1 points, or 0.031."""
    if metric in SHARES:
        text = f"{100 * value:+.1f}" if signed else f"{100 * abs(value):.1f}"
        text = text.replace("-", "−")
        return Text(f"{text} points", f"{text} 个百分点")
    text = (f"{value:+.3f}" if signed else f"{abs(value):.3f}").replace("-", "−")
    return Text(text, text)


def gap_range(metric: str, low: float, high: float) -> Text:
    """The ends of an interval of a difference: −0.4 to +2.1 points."""
    scale, digits = (100, 1) if metric in SHARES else (1, 3)
    ends = [f"{scale * end:+.{digits}f}".replace("-", "−") for end in (low, high)]
    unit = Text(" points", " 个百分点") if metric in SHARES else Text("", "")
    return Text(f"{ends[0]} to {ends[1]}{unit.en}", f"{ends[0]} 到 {ends[1]}{unit.zh}")


def count(value: int) -> str:
    return f"{value:,}"


def listing(items: Sequence[str], most: int = 5) -> Text:
    """a, b and c; what goes beyond `most` is counted."""
    listed = list(items[:most])
    more = len(items) - len(listed)
    if more:
        return Text(f"{', '.join(listed)} and {more} more", f"{'、'.join(listed)}等 {len(items)} 个")
    if len(listed) == 1:
        return Text(listed[0], listed[0])
    return Text(f"{', '.join(listed[:-1])} and {listed[-1]}", "、".join(listed))
