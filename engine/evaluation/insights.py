"""What stands below the verdict: short insights, each made only where the evidence carries it.

Knows when an insight is due and how it is worded. Does not know how the numbers in it were computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.core.text import Text
from engine.evaluation.intervals import Difference, Interval
from engine.evaluation.metric_format import count, gap, gap_range, listing, metric_name, number, percent

SMALL_TEST = 100  # rows; below it a single row moves the score by a point or more
MISCALIBRATED = 0.03  # mean confidence minus accuracy, where it is surely not zero
IMBALANCED = 0.7  # share of the most frequent answer
TRUNCATED = 0.05
LEAKED = 0.01
SHORTFALL = 0.05  # below the mean F1 of all classes
RISEN = 1.1  # validation loss at the end against its lowest

# Titles of the insights of every task, by kind; those of one task stand with it (`TaskSpec.insight_titles`).
TITLES: dict[str, Text] = {
    "keyword_baseline": Text("Against keywords", "与关键词相比"),
    "untuned": Text("What training added", "微调带来的提升"),
    "small_test": Text("Small test set", "测试集较小"),
    "leakage": Text("Rows seen before", "见过的数据"),
    "unseen_labels": Text("Unknown labels", "未知标签"),
    "imbalance": Text("Uneven classes", "类别不均衡"),
    "weak_classes": Text("Where it is weak", "薄弱之处"),
    "untested_classes": Text("Not tested", "未经测试"),
    "truncation": Text("Long texts", "长文本"),
    "calibration": Text("Its confidence", "置信度"),
    "overfitting": Text("Overfitting", "过拟合"),
    "short_of_time": Text("Short training", "训练时间有限"),
    "shift": Text("Harder test rows", "测试集偏难"),
    "label_noise": Text("Doubtful labels", "可疑标签"),
    "more_data": Text("Would more data help?", "更多数据有帮助吗？"),
}

Insight = dict[str, Any]


def insight(kind: str, text: Text) -> Insight:
    return {"kind": kind, "text": text.to_dict()}


def _test_rows(rows: int, share: str = "") -> str:
    return f"{count(rows)} test {'row' if rows == 1 else 'rows'}{share} {'has' if rows == 1 else 'have'}"


def keyword_baseline(metric: str, value: float, lead: Difference, rows: int, confidence: float) -> Insight:
    """How the model compares with keywords, by how much, and how sure that is."""
    other, apart = number(metric, value, rows), gap_range(metric, lead.low, lead.high)
    chance = f"p = {lead.p_value:.3f}" if lead.p_value >= 0.001 else "p < 0.001"
    if lead.is_better(confidence):
        by = gap(metric, lead.value)
        text = Text(
            f"Counting keywords (TF-IDF and logistic regression) reaches {other} on the same rows. The tuned model is {by.en} ahead; the {percent(confidence)} interval of that lead is {apart.en} ({chance}).",
            f"在同样的数据上，只统计关键词（TF-IDF 加逻辑回归）可达到 {other}。微调后的模型高出 {by.zh}，差距的 {percent(confidence)} 置信区间为 {apart.zh}（{chance}）。",
        )
    elif lead.is_worse(confidence):
        by = gap(metric, lead.value)
        text = Text(
            f"Counting keywords (TF-IDF and logistic regression) reaches {other} on the same rows: the tuned model is {by.en} behind (interval {apart.en}, {chance}).",
            f"在同样的数据上，只统计关键词（TF-IDF 加逻辑回归）可达到 {other}：微调后的模型反而低 {by.zh}（置信区间 {apart.zh}，{chance}）。",
        )
    else:
        text = Text(
            f"Counting keywords (TF-IDF and logistic regression) reaches {other} on the same rows. The difference, {apart.en} ({percent(confidence)} interval, {chance}), may well be chance.",
            f"在同样的数据上，只统计关键词（TF-IDF 加逻辑回归）可达到 {other}。差距为 {apart.zh}（{percent(confidence)} 置信区间，{chance}），很可能只是偶然。",
        )
    return insight("keyword_baseline", text)


def untuned(metric: str, value: float, lead: Difference, rows: int, confidence: float) -> Insight:
    other, by, apart = number(metric, value, rows), gap(metric, lead.value), gap_range(metric, lead.low, lead.high)
    if lead.is_better(confidence):
        text = Text(
            f"Fine-tuning was worth it: without any training the same pretrained model reaches {other}, {by.en} less.",
            f"微调确有成效：同一个预训练模型不经训练只能达到 {other}，低 {by.zh}。",
        )
    else:
        text = Text(
            f"Fine-tuning brought little: without any training the same pretrained model already reaches {other} (difference {apart.en}).",
            f"微调收效甚微：同一个预训练模型不经训练就能达到 {other}（差距 {apart.zh}）。",
        )
    return insight("untuned", text)


def imbalance(label: str, share: float, macro_f1: float, rows: int) -> Insight | None:
    if share < IMBALANCED:
        return None
    value, macro = percent(share), number("macro_f1", macro_f1, rows)
    return insight(
        "imbalance",
        Text(
            f"{value} of the test rows are “{label}”, so always answering that would be right just as often. Macro F1 ({macro}), which counts every class alike, tells more.",
            f"{value} 的测试数据都是“{label}”，永远这样回答也能有同样的准确率。对各类别一视同仁的宏平均 F1（{macro}）更能说明问题。",
        ),
    )


def weak_classes(weak: Sequence[dict[str, Any]], overall: float, rows: int) -> Insight | None:
    """Classes whose F1 interval lies below the mean of all."""
    if not weak:
        return None
    names = listing([f"“{row['label']}” ({number('f1', row['f1'], row['support'])})" for row in weak])
    names_zh = listing([f"“{row['label']}”（{number('f1', row['f1'], row['support'])}）" for row in weak])
    mean = number("macro_f1", overall, rows)
    theirs = "its F1 interval lies" if len(weak) == 1 else "their F1 intervals lie"
    return insight(
        "weak_classes",
        Text(
            f"Weak on {names.en}: {theirs} below the mean of all classes ({mean}).",
            f"薄弱类别：{names_zh.zh}，其 F1 的置信区间整体低于各类别的平均值（{mean}）。",
        ),
    )


def untested_classes(labels: Sequence[str]) -> Insight | None:
    if not labels:
        return None
    names, names_zh = listing([f"“{label}”" for label in labels]).en, listing([f"“{label}”" for label in labels]).zh
    return insight(
        "untested_classes",
        Text(
            f"The test set has no row of {names}: how well the model knows it was not measured.",
            f"测试集中没有{names_zh}的数据，模型对其掌握得如何无从得知。",
        ),
    )


def unseen_labels(labels: Sequence[str], rows: int) -> Insight | None:
    """Labels of the test set that training never had: every such row is a mistake by construction."""
    if not labels:
        return None
    names = listing([f"“{label}”" for label in labels])
    return insight(
        "unseen_labels",
        Text(
            f"{_test_rows(rows)} a label that training never had ({names.en}). {'It counts as a mistake' if rows == 1 else 'They count as mistakes'}.",
            f"有 {count(rows)} 行测试数据的标签在训练集中从未出现（{names.zh}），均按答错计算。",
        ),
    )


def small_test(rows: int, headline: Interval, metric: str) -> Insight | None:
    if rows >= SMALL_TEST and headline.high - headline.low <= 0.1:
        return None
    low, high = number(metric, headline.low, rows), number(metric, headline.high, rows)
    return insight(
        "small_test",
        Text(
            f"The test set is small ({count(rows)} row{'' if rows == 1 else 's'}): the true value may be as low as {low} or as high as {high}. More test rows would narrow that.",
            f"测试集较小（{count(rows)} 行）：真实水平可能低至 {low}，也可能高至 {high}。增加测试数据可以缩小这一范围。",
        ),
    )


def truncation(share: float, max_length: int | None) -> Insight | None:
    """`share` of the training texts; validation and test texts are read whole, in overlapping windows."""
    if share < TRUNCATED:
        return None
    limit = Text(f" of {max_length} tokens", f"（{max_length} 个 token）") if max_length else Text("", "")
    return insight(
        "truncation",
        Text(
            f"{percent(share)} of the training texts are longer than the maximum length{limit.en}: their ends were not learned from. Raise it if what matters may stand there.",
            f"{percent(share)} 的训练文本超过最大长度{limit.zh}，超出部分没有参与训练。如果关键内容可能在后面，请调大最大长度。",
        ),
    )


def leakage(leaked: int, rows: int, metric: str, unseen_value: float | None) -> Insight | None:
    """Test texts that training had too: memory, not skill. Too few to matter are passed over."""
    if leaked / rows < LEAKED:
        return None
    share = percent(leaked / rows, 1)
    rest = Text("", "")
    if unseen_value is not None:
        value, name = number(metric, unseen_value, rows), metric_name(metric)
        rest = Text(f" On the others {name.en} is {value}.", f"其余数据上的{name.zh}为 {value}。")
    return insight(
        "leakage",
        Text(
            f"{_test_rows(leaked, f' ({share})')} the very text of a training row, so the score is in part memory.{rest.en}",
            f"有 {count(leaked)} 行测试数据（{share}）与训练数据文本相同，分数里有一部分是“背”出来的。{rest.zh}",
        ),
    )


def calibration(overconfidence: Interval, confidence: float, right: float) -> Insight | None:
    """`overconfidence` is mean confidence minus share right; `confidence` and `right` are the two by themselves."""
    if abs(overconfidence.value) < MISCALIBRATED or overconfidence.low <= 0 <= overconfidence.high:
        return None
    share, is_right = percent(confidence), percent(right)
    if overconfidence.value > 0:
        text = Text(
            f"It is surer than it should be: on average {share} confident, but right in {is_right} of cases. Do not take its confidence at its word.",
            f"模型过于自信：平均置信度 {share}，实际答对 {is_right}。它给出的置信度不能直接当真。",
        )
    else:
        text = Text(
            f"It is less sure than it could be: on average {share} confident, but right in {is_right} of cases.",
            f"模型偏于保守：平均置信度 {share}，实际答对 {is_right}。",
        )
    return insight("calibration", text)


def label_noise(suspects: int, mistakes: int) -> Insight | None:
    if not suspects:
        return None
    return insight(
        "label_noise",
        Text(
            f"Of its {count(mistakes)} mistakes, {count(suspects)} may {'be a wrong label' if suspects == 1 else 'be wrong labels'}: the model is sure of another one. Look there first.",
            f"在 {count(mistakes)} 个错误中，有 {count(suspects)} 个可能是标签本身标错：模型非常确信是另一个标签。建议先检查这些数据。",
        ),
    )


def overfitting(history: Sequence[dict[str, Any]], best_epoch: float | None) -> Insight | None:
    """Validation loss that fell and then rose while training went on."""
    losses = [
        (entry["epoch"], entry["validation"]["loss"])
        for entry in history
        if (entry.get("validation") or {}).get("loss") is not None
    ]
    if len(losses) < 3:
        return None
    lowest_epoch, lowest = min(losses, key=lambda pair: pair[1])
    last_epoch, last = losses[-1]
    if last < RISEN * lowest or lowest_epoch == last_epoch:
        return None
    kept = Text("", "")
    if best_epoch is not None:
        kept = Text(
            f" The checkpoint of epoch {best_epoch:g}, the best on the validation rows, was kept.",
            f"最终保留的是验证集上最好的第 {best_epoch:g} 轮检查点。",
        )
    return insight(
        "overfitting",
        Text(
            f"Signs of overfitting: validation loss was lowest at epoch {lowest_epoch:g} ({lowest:.2f}) and rose to {last:.2f} afterwards.{kept.en}",
            f"有过拟合的迹象：验证损失在第 {lowest_epoch:g} 轮最低（{lowest:.2f}），之后升到 {last:.2f}。{kept.zh}",
        ),
    )


def short_of_time(facts: dict[str, Any]) -> Insight | None:
    """Training that was fitted into fewer passes than its data would have had."""
    made, whole, minutes = facts.get("epochs_fitted"), facts.get("epochs"), facts.get("minutes")
    if made is None or whole is None or minutes is None:
        return None
    return insight(
        "short_of_time",
        Text(
            f"The run was fitted into {60 * minutes:.0f} seconds: {made:g} of {whole:g} passes on this machine. With more time, or on a faster machine, the model may learn more.",
            f"本次运行限时 {60 * minutes:.0f} 秒：在这台机器上完成了 {whole:g} 轮训练中的 {made:g} 轮。给更多时间或换更快的机器，模型可能学得更好。",
        ),
    )


def shift(metric: str, validation: Interval, test: Interval, rows: int) -> Insight | None:
    """Test rows that are surely harder than the validation rows: another kind of data, or luck in choosing the checkpoint."""
    if test.high >= validation.low:
        return None
    validated, tested, name = (
        number(metric, validation.value, rows),
        number(metric, test.value, rows),
        metric_name(metric),
    )
    return insight(
        "shift",
        Text(
            f"The test rows are harder than the validation rows ({name.en} {tested} against {validated}): they may come from another source or another time.",
            f"测试集比验证集更难（{name.zh} {tested} 对 {validated}），两者可能来源或时间不同。",
        ),
    )


def more_data(conclusion: Text) -> Insight:
    return insight("more_data", conclusion)
