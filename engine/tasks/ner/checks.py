"""The data check on entity spans: boundaries and overlaps.

Spans that could not be read at all (outside their text, mixed tag schemes) were noticed by the reader before.
"""

from __future__ import annotations

from engine.core.text import Text
from engine.data.corpus import Corpus
from engine.data.findings import Finding, counted, first_places
from engine.data.word_boundary import inside_word
from engine.schema import Place
from engine.tasks.ner.fixes import DROP_OVERLAPS, TRIM_SPANS, WIDEN_SPANS


def check_spans(corpus: Corpus) -> list[Finding]:
    """Findings span_blanks, span_inside_word and span_overlap."""
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
                    f"{counted(len(blanks), 'span begins or ends', 'spans begin or end')} with a blank.",
                    f"{len(blanks):,} 个实体区间首尾带有空白。",
                ),
                len(blanks),
                first_places(blanks),
                TRIM_SPANS.fix,
            )
        )
    if inside:
        findings.append(
            Finding(
                "span_inside_word",
                "warning",
                Text(
                    f"{counted(len(inside), 'span begins or ends', 'spans begin or end')} inside a word; offsets may be shifted.",
                    f"{len(inside):,} 个实体区间的边界落在单词内部，位置可能有偏移。",
                ),
                len(inside),
                first_places(inside),
                WIDEN_SPANS.fix,
            )
        )
    if overlaps:
        findings.append(
            Finding(
                "span_overlap",
                "warning",
                Text(
                    f"{counted(len(overlaps), 'span overlaps', 'spans overlap')} another; a tagger gives each word one label.",
                    f"{len(overlaps):,} 个实体区间互相重叠，而序列标注中每个词只能有一个标签。",
                ),
                len(overlaps),
                first_places(overlaps),
                DROP_OVERLAPS.fix,
            )
        )
    return findings
