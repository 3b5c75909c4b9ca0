"""Remarks below the verdict on a tagger, each made only where the evidence carries it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.core.text import Text
from engine.evaluation.insights import Insight, insight
from engine.evaluation.intervals import Difference, Interval
from engine.evaluation.metric_format import count, gap, gap_range, listing, metric_name, number, percent

MOSTLY = 0.5  # share of the errors that one kind makes up


def memory(metric: str, value: float, lead: Difference, rows: int, confidence: float) -> Insight:
    """How the model compares with looking up the entities of the training rows."""
    other, by, apart = number(metric, value, rows), gap(metric, lead.value), gap_range(metric, lead.low, lead.high)
    name = metric_name(metric)
    if lead.is_better(confidence):
        text = Text(
            f"Looking up the entities of the training rows reaches {name.en} {other} on the same rows. The tuned model is {by.en} ahead ({percent(confidence)} interval {apart.en}).",
            f"只照搬训练集中出现过的实体，在同样的数据上，{name.zh} 为 {other}。微调后的模型高出 {by.zh}（{percent(confidence)} 置信区间 {apart.zh}）。",
        )
    elif lead.is_worse(confidence):
        text = Text(
            f"Looking up the entities of the training rows reaches {name.en} {other} on the same rows: the tuned model is {by.en} behind (interval {apart.en}).",
            f"只照搬训练集中出现过的实体，在同样的数据上，{name.zh} 为 {other}：微调后的模型反而低 {by.zh}（置信区间 {apart.zh}）。",
        )
    else:
        text = Text(
            f"Looking up the entities of the training rows reaches {name.en} {other} on the same rows. The difference, {apart.en}, may well be chance.",
            f"只照搬训练集中出现过的实体，在同样的数据上，{name.zh} 为 {other}。差距为 {apart.zh}，很可能只是偶然。",
        )
    return insight("memory", text)


def generalisation(seen: Interval, new: Interval, share: float) -> Insight | None:
    """Recall on entities that training had against new ones; `share` of the test entities are new."""
    if not 0 < share < 1:
        return None
    known, fresh, low, high = (percent(part) for part in (seen.value, new.value, new.low, new.high))
    return insight(
        "generalisation",
        Text(
            f"{percent(share)} of the test entities never occurred in training: of these it finds {fresh} (interval {low} to {high}), of the known ones {known}.",
            f"测试集中有 {percent(share)} 的实体从未在训练集中出现：其中找到的比例为 {fresh}（置信区间 {low} 到 {high}），见过的实体为 {known}。",
        ),
    )


def main_error(counts: dict[str, int], names: dict[str, Text]) -> Insight | None:
    """The kind of error that makes up most of all."""
    total = sum(counts.values())
    kind = max(counts, key=lambda name: counts[name], default="")
    if total < 10 or counts[kind] < MOSTLY * total:
        return None
    share = percent(counts[kind] / total)
    return insight(
        "main_error",
        Text(
            f"{share} of its errors are of one kind: {names[kind].en.lower()} ({count(counts[kind])} of {count(total)}).",
            f"{share} 的错误属于同一类：{names[kind].zh}（{count(total)} 个错误中的 {count(counts[kind])} 个）。",
        ),
    )


def weak_types(weak: Sequence[dict[str, Any]], overall: float, rows: int) -> Insight | None:
    """Types whose F1 interval lies below the mean of all."""
    if not weak:
        return None
    names = listing([f"“{row['label']}” ({number('f1', row['f1'], row['support'])})" for row in weak]).en
    names_zh = listing([f"“{row['label']}”（{number('f1', row['f1'], row['support'])}）" for row in weak]).zh
    mean = number("macro_f1", overall, rows)
    theirs = "its F1 interval lies" if len(weak) == 1 else "their F1 intervals lie"
    return insight(
        "weak_types",
        Text(
            f"Weak on {names}: {theirs} below the mean of all types ({mean}).",
            f"薄弱类型：{names_zh}，其 F1 的置信区间整体低于各类型的平均值（{mean}）。",
        ),
    )


def untested_types(labels: Sequence[str]) -> Insight | None:
    if not labels:
        return None
    quoted = listing([f"“{label}”" for label in labels])
    return insight(
        "untested_types",
        Text(
            f"The test rows have no entity of type {quoted.en}: how well the model knows it was not measured.",
            f"测试集中没有{quoted.zh}类型的实体，模型对其掌握得如何无从得知。",
        ),
    )


def unknown_types(labels: Sequence[str], entities: int) -> Insight | None:
    """Types of the test rows that training never had: each of their entities is missed by construction."""
    if not labels:
        return None
    quoted = listing([f"“{label}”" for label in labels])
    return insight(
        "unknown_types",
        Text(
            f"{count(entities)} test {'entity is' if entities == 1 else 'entities are'} of a type that training never had ({quoted.en}); {'it counts' if entities == 1 else 'they count'} as missed.",
            f"有 {count(entities)} 个测试实体的类型在训练集中从未出现（{quoted.zh}），均按漏掉计算。",
        ),
    )
