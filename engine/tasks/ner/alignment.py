"""Spans of a text as tags of its units, and back.

A unit gets one tag: [starts, ends) in characters, in order, without overlap. Knows offsets and types; does not know tokenizers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.tasks.ner.bio import OUTSIDE, begin, inside, span_score, spans_of

Span = dict[str, Any]  # start, end, label, and of a prediction also score


def tags_of(
    text: str, starts: np.ndarray, ends: np.ndarray, spans: Sequence[Span], types: Mapping[str, int]
) -> tuple[np.ndarray, list[Span]]:
    """Tag numbers [units], and the spans that these tags do not encode exactly.

    A span whose edge lies inside a unit takes the whole unit. Of spans that overlap the longest is kept. Blanks at the edges
    of a span cannot be tagged, so its place differs by them. Spans of a type that is not in `types` are left out silently.
    """
    tags = np.full(len(starts), OUTSIDE, dtype=np.int64)
    lost: list[Span] = []
    for span in sorted(spans, key=lambda span: (span["start"] - span["end"], span["start"])):
        label = types.get(span["label"])
        if label is None:
            continue
        first = int(np.searchsorted(ends, span["start"], side="right"))
        after = int(np.searchsorted(starts, span["end"], side="left"))
        if first >= after or tags[first:after].any():
            lost.append(span)
            continue
        tags[first] = begin(label)
        tags[first + 1 : after] = inside(label)
        if starts[first] != span["start"] or ends[after - 1] != span["end"]:
            lost.append(span)
    return tags, lost


def spans_from_tags(
    starts: np.ndarray, ends: np.ndarray, tags: np.ndarray, log_probabilities: np.ndarray, labels: Sequence[str]
) -> list[Span]:
    """The spans that tags [units] encode, with the score of each."""
    return [
        {
            "start": int(starts[first]),
            "end": int(ends[after - 1]),
            "label": labels[label],
            "score": span_score(log_probabilities, first, after, label),
        }
        for first, after, label in spans_of(tags)
    ]
