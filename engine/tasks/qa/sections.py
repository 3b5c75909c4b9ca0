"""The sections that only a question answering report has: outcomes, the threshold, the worst misses; and the questions behind a pick.

Knows the JSON of the report and predictions.jsonl. Does not know how a section is drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.core.text import Text
from engine.evaluation.metric_format import count, percent
from engine.sections import (
    Axis,
    Bar,
    Bars,
    Beside,
    Block,
    Definitions,
    Fold,
    Line,
    Lines,
    Paragraph,
    Record,
    Records,
    RecordText,
    Section,
    Series,
    Span,
    Words,
    clipped,
)
from engine.tasks.qa.rows import outcome_rows

FIRST_MISSES = 8
PICKED_ROWS = 12
MOST_ANSWER = 200  # characters of an answer among the facts of a question
RIGHT = ("exact", "silent_right")  # outcomes

NOT_ANSWERED = Text("no answer", "没有答案")
LEGEND = (
    Span(Text("right answer", "正确答案"), "gold"),
    Span(Text("model’s answer", "模型的回答"), "predicted"),
    Span(Text("both", "两者重合"), "both"),
)


def report_sections(report: dict[str, Any]) -> list[Section]:
    sections = (_outcomes(report), _threshold(report), _misses(report))
    return [section for section in sections if section is not None]


def _outcomes(report: dict[str, Any]) -> Section | None:
    """What became of the questions, and how answers are scored."""
    outcomes = report.get("outcomes") or []
    if not outcomes:
        return None
    bars = tuple(
        Bar(
            Text.from_dict(part["label"]),
            part["share"],
            f"{count(part['count'])} · {percent(part['share'])}",
            tone="accent" if part["kind"] in RIGHT else "bad",
            pick=part["kind"],
        )
        for part in outcomes
    )
    blocks: tuple[Block, ...] = (
        Bars(bars, (Text("Outcome", "结果"), Text("Questions", "问题数"))),
        Fold(Text("How answers are scored", "答案如何评分"), (Definitions(_scoring(report.get("scored_as") or {})),)),
    )
    lead = Text("Every test question is in exactly one of these groups.", "每个测试问题只属于其中一类。")
    return Section("outcomes", Text("What became of the questions", "这些问题答得怎么样"), blocks, lead)


def _scoring(scored_as: dict[str, int]) -> tuple[tuple[Words, Line], ...]:
    meanings: list[tuple[Words, Line]] = [
        (
            "F1",
            Text(
                "How much of an answer and of the reference is the same: 1 is all, 0 nothing. It heads this report because a span that is a word too long is not worth as little as a wrong one, and because the simple methods can be compared by it.",
                "回答与参考答案的重合程度：1 为完全一致，0 为毫无重合。本报告以 F1 为主要指标：多一个字的片段不应与答错同等对待，而且简单方法也能据此比较。",
            ),
        ),
        (
            Text("exact match", "完全匹配率"),
            Text(
                "Share of questions answered to the letter, case, punctuation and articles aside.",
                "忽略大小写、标点和英文冠词后，与参考答案完全一致的比例。",
            ),
        ),
    ]
    if squad := scored_as.get("squad"):
        meanings.append(
            (
                "SQuAD",
                Text(
                    f"{count(squad)} questions by SQuAD's official definition: words, the best of several references; where there is no answer, only saying so is right.",
                    f"{count(squad)} 个问题按 SQuAD 官方定义评分：以词为单位，取多个参考答案中的最高分；没有答案时，只有指出无答案才算对。",
                ),
            )
        )
    if cmrc := scored_as.get("cmrc"):
        meanings.append(
            (
                "CMRC 2018",
                Text(
                    f"{count(cmrc)} questions by CMRC 2018's official definition: Chinese characters and Latin words, F1 from the longest run that both share.",
                    f"{count(cmrc)} 个问题按 CMRC 2018 官方定义评分：以汉字和拉丁词为单位，由最长公共连续片段计算 F1。",
                ),
            )
        )
    return tuple(meanings)


def _threshold(report: dict[str, Any]) -> Section | None:
    """The threshold for "no answer": its curve on the validation rows, and what it does on the test rows."""
    threshold = report.get("threshold")
    if not threshold:
        return None
    points = tuple(zip(threshold["thresholds"], threshold["scores"], strict=True))
    nearest = min(range(len(points)), key=lambda index: abs(points[index][0] - threshold["value"]))
    chart = Lines(
        Text("F1 on the validation rows ↑ by threshold →", "验证集 F1 ↑ 与阈值 →"),
        (Series("F1", points, ringed=frozenset({nearest})),),
        Axis(Text("threshold", "阈值")),
    )
    limit, rows = f"{threshold['value']:+.2f}".replace("-", "−"), count(threshold["rows"])
    chosen, zero, always = (f"{threshold['test'][name]:.3f}" for name in ("chosen", "zero", "always"))
    text = Text(
        f"It answers “no answer” when that scores more than {limit} above the best span (the null score difference of SQuAD 2.0). "
        f"The ring marks that threshold: the best one on {rows} validation rows. "
        f"On the test rows: F1 {chosen} with it, {zero} at 0, {always} if it always answered.",
        f"当“没有答案”的得分比最佳片段高出 {limit} 以上时，模型回答“没有答案”（即 SQuAD 2.0 的空答案分差）。"
        f"圆圈标出该阈值：它在 {rows} 行验证数据上得分最高。"
        f"测试集上：采用该阈值时 F1 为 {chosen}，阈值为 0 时 {zero}，总是作答时 {always}。",
    )
    return Section(
        "threshold",
        Text("When it answers “no answer”", "何时回答“没有答案”"),
        (Beside((chart, Paragraph(text))),),
    )


def _misses(report: dict[str, Any]) -> Section | None:
    misses = report.get("mistakes") or []
    if not misses:
        return None
    wrong, more = count(report["mistake_count"]), len(misses) - FIRST_MISSES
    records = Records(
        tuple(_record(miss) for miss in misses), LEGEND, FIRST_MISSES, Text(f"{more} more", f"再看 {more} 条")
    )
    return Section(
        "mistakes",
        Text("Its worst mistakes", "最严重的错误"),
        (records,),
        Text(
            f"{wrong} questions were not answered to the letter. Those without anything of the answer come first, the surest at the top.",
            f"有 {wrong} 个问题未能完全答对。与答案毫无重合的排在前面，越自信的越靠前。",
        ),
    )


def _record(row: dict[str, Any]) -> Record:
    """A question with the passage around both answers, and what was right and given."""
    references = " / ".join(dict.fromkeys(answer["text"] for answer in row["target"]))
    passage = tuple(_piece(piece) for piece in row["marked"])
    sure = percent(row["confidence"])
    facts: tuple[Line, ...] = (
        Text(f"row {row['row']}", f"第 {row['row']} 行"),
        (Text("right: ", "正确答案："), Span(clipped(references, MOST_ANSWER) or NOT_ANSWERED, "strong")),
        (Text("answered: ", "模型回答："), Span(clipped(row["prediction"], MOST_ANSWER) or NOT_ANSWERED, "strong")),
        Text(f"{sure} sure", f"置信度 {sure}"),
        f"F1 {row['f1']:.2f}",
    )
    return Record((RecordText(passage),), facts, row["inputs"]["question"])


_KINDS = {"wanted": "gold", "given": "predicted", "both": "both"}


def _piece(piece: dict[str, str]) -> Words | Span:
    """A piece of a passage; its kinds are those of `report_parts.marked`."""
    if piece["kind"] == "gap":
        return Span("", "gap")
    return Span(piece["text"], _KINDS[piece["kind"]]) if piece["kind"] else piece["text"]


def picked_rows(directory: Path, report: dict[str, Any], pick: str) -> Section:
    """The questions with an outcome, by its name."""
    part = {one["kind"]: one for one in report["outcomes"]}[pick]
    rows = outcome_rows(directory, pick, PICKED_ROWS)
    name, shown = Text.from_dict(part["label"]), count(len(rows))
    title = Text(f"{name.en} ({shown} shown)", f"{name.zh}（显示 {shown} 个）")
    return Section("picked", title, (Records(tuple(_record(row) for row in rows), LEGEND),))
