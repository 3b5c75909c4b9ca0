"""The sections that only a summarization report has: what summaries are like, groups of them to read; and the rows behind a pick.

Knows the JSON of the report and predictions.jsonl. Does not know how a section is drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.core.text import Text
from engine.evaluation.metric_format import count, percent
from engine.sections import (
    Cell,
    Choice,
    Choices,
    Column,
    Definitions,
    Estimate,
    Fold,
    Line,
    Record,
    Records,
    RecordText,
    Section,
    Span,
    Table,
    Words,
    clipped,
)
from engine.tasks.summarization.origins import LEGEND, marked
from engine.tasks.summarization.rows import group_rows

WORST_SHOWN = 2
PICKED_ROWS = 12
MOST_TEXT = 6000  # characters of a document behind its fold

MEASURES: dict[str, tuple[Text, Text]] = {
    "words": (
        Text("Length, words", "长度（词；中文按字）"),
        Text("Mean words of a summary; Chinese: characters.", "摘要的平均词数，中文按字计。"),
    ),
    "compression": (
        Text("Compression", "压缩比"),
        Text("How many times longer the document is.", "原文长度是摘要的多少倍。"),
    ),
    "novel_1": (
        Text("New words", "新词"),
        Text("Share of its words that the document lacks.", "摘要中原文没有的词所占比例。"),
    ),
    "novel_2": (
        Text("New word pairs", "新词对"),
        Text(
            "Share of neighbouring pairs that the document lacks: high in rewording, low in copying.",
            "原文没有的相邻词对所占比例：改写时高，照抄时低。",
        ),
    ),
    "novel_3": (
        Text("New runs of three", "新三词片段"),
        Text("The same for three words in a row.", "同上，连续三个词。"),
    ),
    "repetition": (
        Text("Repetition", "重复"),
        Text("Share of three-word runs that repeat one before them.", "重复前文的三词片段所占比例。"),
    ),
    "strange_numbers": (
        Text("With a number of its own", "含原文没有的数字"),
        Text("Summaries with a number that the document lacks.", "出现原文没有的数字的摘要比例。"),
    ),
    "strange_names": (
        Text("With a name of its own", "含原文没有的名称"),
        Text(
            "Summaries with a capitalised word that the document lacks.",
            "出现原文没有的大写开头名称的摘要比例。",
        ),
    ),
}
# In Chinese a name looks like any word: only those in Latin letters can be recognised, by their capitals.
LATIN_NAMES = (
    Text("With a Latin name of its own", "含原文没有的拉丁字母名称"),
    Text(
        "Summaries with a capitalised word that the document lacks; Chinese names are not checked.",
        "出现原文没有的大写开头拉丁字母名称的摘要比例；中文名称未做检查。",
    ),
)

EXAMPLES = {
    "worst": Text("Furthest from their references", "与参考摘要差距最大"),
    "random": Text("Drawn at random", "随机抽取"),
    "best": Text("Nearest to their references", "最接近参考摘要"),
}
COUNTED = {
    "words": Text(
        "ROUGE by words, as the rouge-score package counts it, with stemming.",
        "ROUGE 按词计算，与 rouge-score 一致（含词干化）。",
    ),
    "characters": Text("ROUGE by Chinese characters.", "ROUGE 按汉字计算。"),
}
GROUPS: dict[str, Text] = {
    **EXAMPLES,
    "numbers": Text("With a number that the document lacks", "含原文没有的数字"),
    "names": Text("With a name that the document lacks", "含原文没有的名称"),
}
LATIN_GROUP = Text(
    "With a name in Latin letters that the document lacks; Chinese names are not checked",
    "含原文没有的拉丁字母名称（中文名称未做检查）",
)


def report_sections(report: dict[str, Any]) -> list[Section]:
    return [_measures(report), _groups(report), *_worst(report)]


def measure_names(counted: str) -> dict[str, tuple[Text, Text]]:
    """Name and meaning of each measure, for summaries counted by "words" or by "characters"."""
    return {**MEASURES, "strange_names": LATIN_NAMES} if counted == "characters" else MEASURES


def _measures(report: dict[str, Any]) -> Section:
    """Length, novelty, repetition and what the documents lack, beside the untuned model and the references."""
    measures = measure_names(report["counted"])
    systems = report["measures"]
    columns = (
        Column(Text("Measure", "度量")),
        *(Column(Text.from_dict(system["label"]), "estimate") for system in systems),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (label, *(_estimate(name, system) for system in systems)) for name, (label, _) in measures.items()
    )
    scoring = COUNTED[report["counted"]]
    several = report.get("several_references", 1)
    if several > 1:
        scoring = Text(
            f"{scoring.en} Each row has up to {several} references; the one that fits best counts.",
            f"{scoring.zh}每行最多有 {several} 条参考摘要，取最接近的一条计分。",
        )
    meanings: tuple[tuple[Words, Line], ...] = (*measures.values(), ("ROUGE", scoring))
    return Section(
        "measures",
        Text("What its summaries are like", "摘要的特点"),
        (Table(columns, rows), Fold(Text("What these are", "这些是什么"), (Definitions(meanings),))),
        Text(
            "Beside the untuned model and the references. Numbers and names that the document lacks are a sign of invention, no proof: a sum may be right, a name spelt otherwise.",
            "与未微调的模型和参考摘要对照。原文没有的数字和名称是编造的信号，但不是证据：合计可能是对的，名称也可能只是写法不同。",
        ),
    )


def _estimate(name: str, system: dict[str, Any]) -> Estimate:
    """A measure of one system with its interval, written as a length, a ratio or a share."""
    value, (low, high) = system["values"][name], system["intervals"][name]
    return Estimate(value, low, high, written(name, value), f"{written(name, low)} – {written(name, high)}")


def written(name: str, value: float) -> str:
    """A measure as a person reads it: a length, a ratio, or a share."""
    if name == "words":
        return f"{value:.0f}"
    return f"{value:.1f}×" if name == "compression" else percent(value)


def _groups(report: dict[str, Any]) -> Section:
    """Invented numbers, invented names, the furthest, random and the nearest summaries."""
    strange = report["strange_count"]
    choices = (
        *(Choice(_group_name(report, kind), number, kind, tone="warn") for kind, number in strange.items()),
        *(
            Choice(
                _group_name(report, kind),
                len(rows),
                kind,
                examples=Records(tuple(_record(report, row) for row in rows), LEGEND),
            )
            for kind, rows in report["examples"].items()
        ),
    )
    return Section(
        "groups",
        Text("Summaries to read", "逐条查看"),
        (Choices(choices),),
        Text("Groups of summaries beside their references.", "分组查看摘要与参考摘要的对照。"),
    )


def _group_name(report: dict[str, Any], kind: str) -> Text:
    if kind == "names" and report["counted"] == "characters":
        return LATIN_GROUP  # nothing marks a Chinese name, so that none is looked for
    return GROUPS[kind]


def _worst(report: dict[str, Any]) -> list[Section]:
    """The summaries furthest from their references."""
    rows = report["examples"]["worst"][:WORST_SHOWN]
    if not rows:
        return []
    lead = Text(
        "A low score need not be a bad summary: it shares few words with the reference. Read them.",
        "分数低不一定是摘要差，只说明与参考摘要用词不同。请读一读。",
    )
    records = Records(tuple(_record(report, row) for row in rows), LEGEND)
    return [Section("mistakes", EXAMPLES["worst"], (records,), lead)]


def _record(report: dict[str, Any], row: dict[str, Any]) -> Record:
    """A document with the summaries of the tuned model, of its references and of the untuned model."""
    document, metric = row["inputs"]["document"], report["headline"]["metric"]
    texts = [
        RecordText(clipped(document, MOST_TEXT), Text("Document", "原文"), folded=True),
        RecordText(marked(document, row["prediction"]) or "–", Text("Tuned", "微调后")),
    ]
    for number, reference in enumerate(row["target"], start=1):
        suffix = f" {number}" if len(row["target"]) > 1 else ""
        texts.append(RecordText(reference, Text(f"Reference{suffix}", f"参考摘要{suffix}")))
    if row["untuned"] is not None:
        texts.append(RecordText(row["untuned"] or "–", Text("Before tuning", "微调前")))
    label = Text.from_dict(report["headline"]["label"])
    value = f"{row['scores'][metric]:.2f}"
    facts: list[Line] = [
        Text(f"row {row['row']}", f"第 {row['row']} 行"),
        Text(f"{label.en} {value}", f"{label.zh} {value}"),
    ]
    if lacking := row["strange"]["numbers"] + row["strange"]["names"]:
        facts.append((Text("not in the document: ", "原文没有："), Span(", ".join(lacking), "strong")))
    return Record(tuple(texts), tuple(facts))


def picked_rows(directory: Path, report: dict[str, Any], pick: str) -> Section:
    """The summaries of a group."""
    rows = group_rows(directory, report, pick, PICKED_ROWS)
    name, shown = _group_name(report, pick), count(len(rows))
    title = Text(f"{name.en} ({shown} shown)", f"{name.zh}（显示 {shown} 条）")
    return Section("picked", title, (Records(tuple(_record(report, row) for row in rows), LEGEND),))
