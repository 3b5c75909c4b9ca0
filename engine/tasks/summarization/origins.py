"""A summary with its words marked by where they come from: copied in a row, new, or naming what the document lacks.

Knows words and characters. Does not know how marks are drawn.
"""

from __future__ import annotations

import re

from engine.core.text import Text
from engine.sections import Span
from engine.tasks.summarization.measures import strange_things
from engine.tasks.summarization.rouge import Characters

_PIECE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\\W_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|[\\W_]+")
RUN = 4  # words in a row that the document has too, from which on they count as copied
_tokenize = Characters().tokenize

LEGEND = (
    Span(Text("copied from the document", "照抄原文"), "copied"),
    Span(Text("a word of its own", "自己的用词"), "new"),
    Span(Text("number or name not in the document", "原文没有的数字或名称"), "strange"),
)


def marked(document: str, text: str) -> tuple[str | Span, ...]:
    """The text in pieces: runs of RUN words and more that stand in the document, words it lacks, numbers and names it lacks."""
    pieces = _PIECE.findall(text)
    places = [index for index, piece in enumerate(pieces) if _tokenize(piece)]
    words = [_tokenize(pieces[index])[0] for index in places]
    source = _tokenize(document)
    known, runs = set(source), {tuple(source[i : i + RUN]) for i in range(len(source) - RUN + 1)}
    kinds = ["new" if word not in known else "" for word in words]
    for start in range(len(words) - RUN + 1):
        if tuple(words[start : start + RUN]) in runs:
            kinds[start : start + RUN] = ["copied"] * RUN
    strange = strange_things(document, text)
    lacking = {word for thing in strange["numbers"] + strange["names"] for word in _tokenize(thing)}
    kinds = [
        "strange" if word in lacking and kind != "copied" else kind for word, kind in zip(words, kinds, strict=True)
    ]
    return _joined(pieces, dict(zip(places, kinds, strict=True)))


def _joined(pieces: list[str], kinds: dict[int, str]) -> tuple[str | Span, ...]:
    """Neighbours of one kind in one mark, with the blanks between them."""
    spans: list[str | Span] = []
    index = 0
    while index < len(pieces):
        kind, end = kinds.get(index, ""), index + 1
        if kind:
            while end + 1 < len(pieces) and kinds.get(end) is None and kinds.get(end + 1) == kind:
                end += 2
            while end < len(pieces) and kinds.get(end) == kind:  # Chinese has no blanks between
                end += 1
        joined = "".join(pieces[index:end])
        spans.append(Span(joined, kind) if kind else joined)
        index = end
    return tuple(spans)
