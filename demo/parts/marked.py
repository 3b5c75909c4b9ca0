"""A text with its entities marked, each type in its colour and by its name, and the legend that says which colour is which.

Knows spans and markup. Colours follow from the names of the types (engine/tasks/ner/marks.py), so a type keeps its colour from
the preview to the playground. Everything is escaped: texts and types come from files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from demo.markup import count, percent, safe, tag
from engine.tasks.ner.marks import runs


def marked(
    text: str, spans: Sequence[dict[str, Any]], colours: Mapping[str, int], start: int = 0, end: int | None = None
) -> str:
    """`text[start:end]` with its entities. Where the text was cut, there is an ellipsis; a score appears on hovering."""
    end = len(text) if end is None else min(end, len(text))
    parts = ["… " if start else ""]
    for run in runs(text, spans, start, end):
        parts.append(safe(run.text) if run.span is None else entity(run.text, run.span, colours))
    parts.append(" …" if end < len(text) else "")
    return "".join(parts)


def entity(text: str, span: dict[str, Any], colours: Mapping[str, int]) -> str:
    """One marked entity."""
    label = span["label"]
    tooltip = f"{label} · {percent(span['score'], 0)}" if "score" in span else label
    return tag(
        "mark",
        safe(text) + tag("small", safe(label)),
        class_=f"tb-entity {colour_class(label, colours)}",
        title=tooltip,
    )


def badge(label: str, colours: Mapping[str, int]) -> str:
    """A type by itself, in its colour."""
    return f'<span class="tb-type {colour_class(label, colours)}">{safe(label)}</span>'


def legend(counts: Mapping[str, int], colours: Mapping[str, int]) -> str:
    """The types and how many entities of each there are, the most frequent first."""
    items = "".join(
        f"<li>{badge(label, colours)}<b>{count(number)}</b></li>"
        for label, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    return f'<ul class="tb-legend">{items}</ul>' if items else ""


def colour_class(label: str, colours: Mapping[str, int]) -> str:
    """The class that brings a type's colour; a type that nobody named has the neutral one."""
    return f"tb-e{colours[label]}" if label in colours else "tb-e5"
