"""The doctor on spans: entity boundaries and answers.

Knows offsets and what a word boundary is. What could not be read at all (spans outside their text, answers that are not in their
context, mixed tag schemes) was noticed by the readers before.
"""

from __future__ import annotations

from engine.core.text import Text
from engine.data.corpus import Corpus
from engine.data.findings import Finding, many, some
from engine.data.fixes import FIXES, inside_word
from engine.schema import Place

_LONG_ANSWER = 0.8  # share of the context


def check_spans(corpus: Corpus) -> list[Finding]:
    """Findings span_blanks, span_inside_word and span_overlap (NER); answer_inside_word, answer_blanks (QA)."""
    if corpus.task == "ner":
        return _entities(corpus)
    return _answers(corpus) if corpus.task == "qa" else []


def _entities(corpus: Corpus) -> list[Finding]:
    blanks: list[Place] = []
    inside: list[Place] = []
    overlaps: list[Place] = []
    for table, example in corpus.rows():
        text = example.inputs["text"]
        tokens = example.inputs.get("tokens")
        end_before = -1
        for span in sorted(example.target, key=lambda s: (s["start"], s["end"])):
            start, end = span["start"], span["end"]
            covered = text[start:end]
            if covered != covered.strip():
                blanks.append(corpus.place(table, example, text=f"{covered!r} ({span['label']})", target=True))
            # Tokens of a corpus are its own words; only free spans can cut one.
            if tokens is None and (inside_word(text, start) or inside_word(text, end)):
                inside.append(
                    corpus.place(
                        table, example, text=f"{covered!r} in {text[max(0, start - 15) : end + 15]!r}", target=True
                    )
                )
            if start < end_before:
                overlaps.append(corpus.place(table, example, text=f"{covered!r} ({span['label']})", target=True))
            end_before = max(end_before, end)
    findings = []
    if blanks:
        findings.append(
            Finding(
                "span_blanks",
                "warning",
                Text(
                    f"{many(len(blanks), 'span begins or ends', 'spans begin or end')} with a blank.",
                    f"{len(blanks):,} 个实体区间首尾带有空白。",
                ),
                len(blanks),
                some(blanks),
                FIXES["trim_spans"],
            )
        )
    if inside:
        findings.append(
            Finding(
                "span_inside_word",
                "warning",
                Text(
                    f"{many(len(inside), 'span begins or ends', 'spans begin or end')} inside a word; offsets may be shifted.",
                    f"{len(inside):,} 个实体区间的边界落在单词内部，位置可能有偏移。",
                ),
                len(inside),
                some(inside),
                FIXES["widen_spans"],
            )
        )
    if overlaps:
        findings.append(
            Finding(
                "span_overlap",
                "warning",
                Text(
                    f"{many(len(overlaps), 'span overlaps', 'spans overlap')} another; a tagger gives each word one label.",
                    f"{len(overlaps):,} 个实体区间互相重叠，而序列标注中每个词只能有一个标签。",
                ),
                len(overlaps),
                some(overlaps),
                FIXES["drop_overlaps"],
            )
        )
    return findings


def _answers(corpus: Corpus) -> list[Finding]:
    inside: list[Place] = []
    long: list[Place] = []
    for table, example in corpus.rows():
        context = example.inputs["context"]
        for answer in example.target:
            start, end = answer["start"], answer["start"] + len(answer["text"])
            if inside_word(context, start) or inside_word(context, end):
                shown = f"{answer['text']!r} in {context[max(0, start - 15) : end + 15]!r}"
                inside.append(corpus.place(table, example, text=shown, target=True))
            if len(answer["text"]) > _LONG_ANSWER * len(context) and len(context) > 60:
                long.append(corpus.place(table, example, text=answer["text"], target=True))
    findings = []
    if inside:
        findings.append(
            Finding(
                "answer_inside_word",
                "warning" if len(inside) > 0.02 * len(corpus.train) else "info",
                Text(
                    f"{many(len(inside), 'answer begins or ends', 'answers begin or end')} inside a word of the context.",
                    f"{len(inside):,} 个答案的边界落在原文的单词内部。",
                ),
                len(inside),
                some(inside),
            )
        )
    if long:
        findings.append(
            Finding(
                "answer_is_context",
                "warning",
                Text(
                    f"{many(len(long), 'answer is', 'answers are')} nearly the whole context; nothing is left to find.",
                    f"{len(long):,} 个答案几乎就是整段原文，没有可定位的内容。",
                ),
                len(long),
                some(long),
            )
        )
    return findings
