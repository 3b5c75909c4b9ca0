"""The data check on summaries: longer than their document, copied from it, or with numbers that it lacks."""

from __future__ import annotations

from engine.core.text import Text
from engine.data.corpus import Corpus
from engine.data.findings import Finding, counted, first_places
from engine.schema import Place
from engine.tasks.summarization.fixes import DROP_BAD_SUMMARIES, unusable_summary
from engine.tasks.summarization.numbers import strange_numbers


def check_summaries(corpus: Corpus) -> list[Finding]:
    """Findings summary_longer, summary_copy and summary_numbers."""
    longer: list[Place] = []
    copies: list[Place] = []
    invented: list[Place] = []
    for table, example in corpus.rows():
        kind = unusable_summary(example)
        if kind:
            place = corpus.place(table, example, text=example.target[0], target=True)
            (copies if kind == "copy" else longer).append(place)
        for reference in example.target:
            unsupported = strange_numbers(example.inputs["document"], reference)
            if unsupported:
                shown = f"{', '.join(unsupported)}: {reference}"
                invented.append(corpus.place(table, example, text=shown, target=True))
                break
    findings = []
    if longer:
        findings.append(
            Finding(
                "summary_longer",
                "warning",
                Text(
                    f"{counted(len(longer), 'summary is', 'summaries are')} as long as the document or longer.",
                    f"{len(longer):,} 条摘要不比原文短。",
                ),
                len(longer),
                first_places(longer),
                DROP_BAD_SUMMARIES.fix,
            )
        )
    if copies:
        findings.append(
            Finding(
                "summary_copy",
                "warning",
                Text(
                    f"{counted(len(copies), 'summary is', 'summaries are')} nothing but a copy of the document.",
                    f"{len(copies):,} 条摘要与原文完全相同。",
                ),
                len(copies),
                first_places(copies),
                DROP_BAD_SUMMARIES.fix,
            )
        )
    if invented:
        share = len(invented) / sum(map(len, corpus.examples.values()))
        findings.append(
            Finding(
                "summary_numbers",
                "warning" if share > 0.02 else "info",
                Text(
                    f"{counted(len(invented), 'summary holds', 'summaries hold')} a number that the document lacks; a model learns to invent from it.",
                    f"{len(invented):,} 条摘要含有原文没有的数字，模型会因此学会编造。",
                ),
                len(invented),
                first_places(invented),
            )
        )
    return findings
