"""The parts of a summarization report in the order and amount they are read in.

Knows the JSON of the report and returns what its templates (templates/summarization) show. Does not know HTML or Markdown.
"""

from __future__ import annotations

from typing import Any

from engine.core.text import Text
from engine.evaluation.metric_format import percent

MOST_TEXT = 1200  # characters of a document shown with its summary

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
# In Chinese a name looks like any word: only those in Latin letters can be told, by their capitals.
LATIN_NAMES = (
    Text("With a Latin name of its own", "含原文没有的拉丁字母名称"),
    Text(
        "Summaries with a capitalised word that the document lacks; Chinese names are not checked.",
        "出现原文没有的大写开头拉丁字母名称的摘要比例；中文名称未做检查。",
    ),
)


def body(report: dict[str, Any]) -> dict[str, Any]:
    """The table of measures, and the examples."""
    return {
        "measures": measure_rows(report),
        "systems": [Text.from_dict(system["label"]) for system in report["measures"]],
        "examples": [
            (EXAMPLES[kind], [_readable(record) for record in records])
            for kind, records in report["examples"].items()
            if records
        ],
        "counted_by": COUNTED[report["counted"]],
    }


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


def measure_rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Each measure with its value and interval for every system."""
    measures = {**MEASURES, "strange_names": LATIN_NAMES} if report["counted"] == "characters" else MEASURES
    return [
        {
            "name": name,
            "label": label,
            "about": about,
            "cells": [
                (written(name, system["values"][name]), *(written(name, end) for end in system["intervals"][name]))
                for system in report["measures"]
            ],
        }
        for name, (label, about) in measures.items()
    ]


def written(name: str, value: float) -> str:
    """A measure as a person reads it: a length, a ratio, or a share."""
    if name == "words":
        return f"{value:.0f}"
    return f"{value:.1f}×" if name == "compression" else percent(value)


def _readable(record: dict[str, Any]) -> dict[str, Any]:
    document = record["inputs"]["document"]
    cut = document if len(document) <= MOST_TEXT else document[:MOST_TEXT].rstrip() + " …"
    return {**record, "document": cut, "lacking": record["strange"]["numbers"] + record["strange"]["names"]}
