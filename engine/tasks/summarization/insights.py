"""The insights below the verdict of a summarization report: each is made only where the evidence carries it."""

from __future__ import annotations

from typing import Any

from engine.core.text import Text
from engine.evaluation.insights import Insight, insight
from engine.evaluation.intervals import Interval
from engine.evaluation.metric_format import count, percent

LOST = 0.01  # share of the text that was read nowhere
OFTEN = 0.1  # more summaries with strange things than the references have
REPETITIVE = 0.02
LONGER, SHORTER = 1.3, 0.75  # words against the references'


def sample(rows: int, of: int, minutes: float | None = None) -> Insight | None:
    """That only a part of the test rows was written for; `minutes` is given where the run's time allowed no more."""
    if rows >= of:
        return None
    more = Text(" The setting “Test rows” asks for more.", "可用“测试行数”设置增加。")
    if minutes is not None:
        seconds = f"{60 * minutes:.0f}"
        more = Text(
            f" The run’s limit of {seconds} s allowed no more.",
            f"本次运行限时 {seconds} 秒，来不及评估更多。",
        )
    return insight(
        "sample",
        Text(
            f"{count(rows)} of {count(of)} test rows, drawn at random, were summarised; the intervals reflect that number.{more.en}",
            f"从 {count(of)} 行测试数据中随机抽取了 {count(rows)} 行进行评估，置信区间反映的正是这一数量。{more.zh}",
        ),
    )


def lost(shares: dict[str, float], max_length: int) -> Insight | None:
    """How much of the documents was never read."""
    if max(shares.values(), default=0.0) < LOST:
        return None
    train, test = percent(shares["train"], 1), percent(shares["test"], 1)
    return insight(
        "truncation",
        Text(
            f"Documents were read up to {count(max_length)} tokens: {train} of the training text and {test} of the test text came after that and was not read.",
            f"文档只读取前 {count(max_length)} 个 token：训练文本的 {train} 和测试文本的 {test} 在此之后，没有被读到。",
        ),
    )


def strange(tuned: Interval, references: Interval, rows: int, chinese: bool) -> Insight | None:
    """Numbers and names that stand in summaries and in no document. In Chinese nothing marks a name, so that none is looked for."""
    inventing = round(tuned.value * rows)
    things = Text("a number", "数字") if chinese else Text("a number or a name", "数字或名称")
    unseen = Text(
        " Chinese names are not checked: nothing in the script marks them.",
        "中文人名、地名等没有书写标记，未做检查。",
    )
    if not inventing:
        seen = Text(
            f"No summary holds {things.en} that its document lacks. Other kinds of errors do not show this way.",
            f"没有任何摘要出现原文没有的{things.zh}；但其他类型的错误无法以此发现。",
        )
        return insight("faithful", Text(seen.en + unseen.en, seen.zh + unseen.zh) if chinese else seen)
    theirs = percent(references.value)
    more = tuned.low > references.value
    tail = (
        Text(f"the references do so in {theirs}, so the model invents.", f"而参考摘要只有 {theirs}，说明模型存在编造。")
        if more
        else Text(f"the references do so in {theirs}.", f"参考摘要的比例为 {theirs}。")
    )
    message = Text(
        f"{count(inventing)} of {count(rows)} summaries ({percent(tuned.value)}) {'holds' if inventing == 1 else 'hold'} {things.en} that the document lacks; {tail.en} Check these below.",
        f"{count(rows)} 条摘要中有 {count(inventing)} 条（{percent(tuned.value)}）出现了原文没有的{things.zh}，{tail.zh}请在下方逐条核对。",
    )
    return insight(
        "strange" if more else "faithful", Text(message.en + unseen.en, message.zh + unseen.zh) if chinese else message
    )


def repetition(share: float) -> Insight | None:
    if share < REPETITIVE:
        return None
    shown = percent(share)
    return insight(
        "repetition",
        Text(
            f"{shown} of the three-word sequences repeat one before them. Setting “No repeated n-grams” to 3 or 4 stops that.",
            f"{shown} 的三词片段是对前文的重复。将“禁止重复的 n 元组”设为 3 或 4 可以避免。",
        ),
    )


def length(tuned: dict[str, Any], references: dict[str, Any]) -> Insight | None:
    """Summaries much longer or shorter than the references."""
    mine, theirs = tuned["words"], references["words"]
    if not theirs or SHORTER <= mine / theirs <= LONGER:
        return None
    longer = mine > theirs
    return insight(
        "length",
        Text(
            f"Its summaries are {'longer' if longer else 'shorter'} than the references: {mine:.0f} words against {theirs:.0f}.",
            f"生成的摘要比参考摘要{'更长' if longer else '更短'}：平均 {mine:.0f} 词，参考为 {theirs:.0f} 词（中文按字计）。",
        ),
    )
