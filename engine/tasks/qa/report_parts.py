"""The parts of a question answering report: what became of the questions, the worst misses in their context, the threshold.

Knows one answered test set (`Answered`) and turns it into plain JSON-able parts. Does not know baselines or the verdict.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.core.text import Text
from engine.evaluation.intervals import Statistics
from engine.schema import Example
from engine.tasks.qa.threshold import curve

MOST_MISSES = 100
AROUND = 160  # characters of the context shown on each side of a marked place
MOST_MARKED = 300  # characters of a marked place that are shown
MOST_POINTS = 80  # of the threshold's curve

# What can become of a question, best first.
OUTCOMES: dict[str, Text] = {
    "exact": Text("exactly right", "完全正确"),
    "silent_right": Text("rightly “no answer”", "正确判断为无答案"),
    "partial": Text("overlaps the answer", "与答案部分重合"),
    "elsewhere": Text("another part of the text", "答到了别处"),
    "missed": Text("wrongly “no answer”", "误判为无答案"),
    "invented": Text("answered what the text does not say", "文中没有答案却作答"),
}


@dataclass(frozen=True, slots=True)
class Answered:
    """Examples with their answers (`Task.answers`) and their scores [n, 3] (counts.statistics)."""

    examples: Sequence[Example]
    answers: Sequence[dict[str, Any]]
    counts: Statistics

    @property
    def outcomes(self) -> list[str]:
        return [
            outcome(example, answer, exact, f1)
            for example, answer, (_, exact, f1) in zip(self.examples, self.answers, self.counts, strict=True)
        ]


def outcome(example: Example, answer: dict[str, Any], exact: float, f1: float) -> str:
    """What became of a question, a key of OUTCOMES."""
    if not answer["answer"]:
        return "missed" if example.target else "silent_right"
    if not example.target:
        return "invented"
    if exact:
        return "exact"
    return "partial" if f1 else "elsewhere"


def outcome_counts(answered: Answered) -> list[dict[str, Any]]:
    """How many questions came to what; what did not occur is left out."""
    outcomes = answered.outcomes
    return [
        {
            "kind": kind,
            "label": name.to_dict(),
            "count": outcomes.count(kind),
            "share": outcomes.count(kind) / len(outcomes),
        }
        for kind, name in OUTCOMES.items()
        if kind in outcomes
    ]


def misses(answered: Answered) -> list[dict[str, Any]]:
    """The worst misses: those that have nothing of the answer before those that overlap it, the surest first."""
    outcomes = answered.outcomes
    wrong = [index for index, kind in enumerate(outcomes) if kind not in ("exact", "silent_right")]
    wrong.sort(key=lambda index: (round(float(answered.counts[index, 2]), 6), -answered.answers[index]["confidence"]))
    return [record(answered, index, outcomes[index], context=False) for index in wrong[:MOST_MISSES]]


def records(answered: Answered) -> Iterator[dict[str, Any]]:
    """One entry a test row, for predictions.jsonl."""
    for index, kind in enumerate(answered.outcomes):
        yield record(answered, index, kind, context=True)


def record(answered: Answered, index: int, kind: str, context: bool) -> dict[str, Any]:
    """One question with its references and its answer; its whole `context`, or the parts around both places with both marked."""
    example, answer = answered.examples[index], answered.answers[index]
    _, exact, f1 = answered.counts[index]
    inputs = dict(example.inputs)
    if not context:
        del inputs["context"]
    row = {
        "row": example.row,
        "inputs": inputs,
        "target": [dict(one) for one in example.target],
        "prediction": answer["answer"],
        "start": answer["start"],
        "end": answer["end"],
        "confidence": round(answer["confidence"], 6),
        "no_answer": round(answer["no_answer"], 6),
        "exact_match": float(exact),
        "f1": round(float(f1), 6),
        "outcome": kind,
        "marked": marked(example, answer),
    }
    return row


def marked(example: Example, answer: dict[str, Any]) -> list[dict[str, str]]:
    """The context around the wanted and the given span in pieces: {"text", "kind"}, kind being "", "wanted", "given", "both" or
    "gap" (something left out). Of several references the one nearest to what was given is marked.
    """
    context = example.inputs["context"]
    spans: list[tuple[int, int, str]] = []
    if example.target:
        at = answer["start"] if answer["start"] is not None else example.target[0]["start"]
        gold = min(example.target, key=lambda one: abs(one["start"] - at))
        spans.append((gold["start"], gold["start"] + len(gold["text"]), "wanted"))
    if answer["start"] is not None:
        spans.append((answer["start"], answer["end"], "given"))
    if not spans:
        return pieces(context, [], [(0, min(len(context), 2 * AROUND))])
    shown = [(max(0, start - AROUND), min(len(context), end + AROUND)) for start, end, _ in spans]
    return pieces(context, spans, merged(shown))


def pieces(
    context: str, spans: Sequence[tuple[int, int, str]], shown: Sequence[tuple[int, int]]
) -> list[dict[str, str]]:
    """The `shown` parts of a text, cut where spans (start, end, kind) begin and end; two kinds on one piece make "both"."""
    edges = sorted({edge for start, end, _ in spans for edge in (start, end)})
    entries: list[dict[str, str]] = []
    if shown and shown[0][0] > 0:
        entries.append({"text": "", "kind": "gap"})
    for number, (first, last) in enumerate(shown):
        if number:
            entries.append({"text": "", "kind": "gap"})
        cuts = [first, *(edge for edge in edges if first < edge < last), last]
        for start, end in itertools.pairwise(cuts):
            kinds = {kind for begin, stop, kind in spans if begin <= start and end <= stop}
            kind = "both" if len(kinds) > 1 else next(iter(kinds), "")
            text = context[start:end]
            if len(text) > MOST_MARKED and kind:
                text = f"{text[: MOST_MARKED // 2]} … {text[-MOST_MARKED // 2 :]}"
            entries.append({"text": text, "kind": kind})
    if shown and shown[-1][1] < len(context):
        entries.append({"text": "", "kind": "gap"})
    return entries


def merged(parts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Parts [start, end) in order, those that touch made one."""
    entries: list[tuple[int, int]] = []
    for start, end in sorted(parts):
        if entries and start <= entries[-1][1]:
            entries[-1] = (entries[-1][0], max(end, entries[-1][1]))
        else:
            entries.append((start, end))
    return entries


def threshold_section(
    value: float, validation: tuple[np.ndarray, np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> dict[str, Any]:
    """The threshold for "no answer": its curve on the validation rows, and what it does on the test rows.

    Both arguments are (differences, F1 with an answer, F1 without) for each row, as `QuestionAnswering.choices` gives them.
    """
    values, means = curve(*validation)
    picked = np.unique(np.linspace(0, len(values) - 1, min(MOST_POINTS, len(values))).round().astype(int))
    differences, answered, silent = test

    def score(limit: float) -> float:
        return float(np.where(differences > limit, silent, answered).mean())

    return {
        "value": value,
        "rows": len(validation[0]),
        "thresholds": [round(float(one), 4) for one in values[picked]],
        "scores": [round(float(one), 6) for one in means[picked]],
        "test": {"chosen": score(value), "zero": score(0.0), "always": float(answered.mean())},
    }
