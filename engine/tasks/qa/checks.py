"""The data check on answers: their boundaries and their length.

Answers that are not in their context were noticed by the reader before.
"""

from __future__ import annotations

from engine.core.text import Text
from engine.data.corpus import Corpus
from engine.data.findings import Finding, counted, first_places
from engine.data.word_boundary import inside_word
from engine.schema import Place

_LONG_ANSWER = 0.8  # share of the context


def check_answers(corpus: Corpus) -> list[Finding]:
    """Findings answer_inside_word and answer_is_context."""
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
                    f"{counted(len(inside), 'answer begins or ends', 'answers begin or end')} inside a word of the context.",
                    f"{len(inside):,} 个答案的边界落在原文的单词内部。",
                ),
                len(inside),
                first_places(inside),
            )
        )
    if long:
        findings.append(
            Finding(
                "answer_is_context",
                "warning",
                Text(
                    f"{counted(len(long), 'answer is', 'answers are')} nearly the whole context; nothing is left to find.",
                    f"{len(long):,} 个答案几乎就是整段原文，没有可定位的内容。",
                ),
                len(long),
                first_places(long),
            )
        )
    return findings
