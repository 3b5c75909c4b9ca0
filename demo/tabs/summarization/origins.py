"""A summary with its words marked by where they come from: copied in a row, new, or naming what the document lacks.

Knows words and characters. Everything is escaped.
"""

from __future__ import annotations

import re

from demo.i18n import words
from demo.markup import safe
from engine.tasks.summarization.measures import strange_things
from engine.tasks.summarization.rouge import Characters

_PIECE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\\W_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|[\\W_]+")
RUN = 4  # words in a row that the document has too, from which on they count as copied
_split = Characters().tokenize


def marked_html(document: str, text: str) -> str:
    """The text as markup: runs of RUN words and more that stand in the document, words it lacks, numbers and names it lacks."""
    pieces = _PIECE.findall(text)
    places = [index for index, piece in enumerate(pieces) if _split(piece)]
    said = [_split(pieces[index])[0] for index in places]
    read = _split(document)
    known, runs = set(read), {tuple(read[i : i + RUN]) for i in range(len(read) - RUN + 1)}
    kinds = ["new" if word not in known else "" for word in said]
    for start in range(len(said) - RUN + 1):
        if tuple(said[start : start + RUN]) in runs:
            kinds[start : start + RUN] = ["copied"] * RUN
    strange = strange_things(document, text)
    lacking = {word for thing in strange["numbers"] + strange["names"] for word in _split(thing)}
    kinds = [
        "strange" if word in lacking and kind != "copied" else kind for word, kind in zip(said, kinds, strict=True)
    ]
    return _joined(pieces, dict(zip(places, kinds, strict=True)))


def _joined(pieces: list[str], kinds: dict[int, str]) -> str:
    """Neighbours of one kind in one mark, with the blanks between them."""
    html, index = "", 0
    while index < len(pieces):
        kind, end = kinds.get(index, ""), index + 1
        if kind:
            while end + 1 < len(pieces) and kinds.get(end) is None and kinds.get(end + 1) == kind:
                end += 2
            while end < len(pieces) and kinds.get(end) == kind:  # Chinese has no blanks between
                end += 1
            html += f'<mark class="tb-word-{kind}">{safe("".join(pieces[index:end]))}</mark>'
        else:
            html += safe(pieces[index])
        index = end
    return html


def legend_html(language: str) -> str:
    names = "".join(
        f'<mark class="tb-word-{kind}">{safe(words(f"summarization.{kind}").in_language(language))}</mark>'
        for kind in ("copied", "new", "strange")
    )
    return f'<p class="tb-legend">{names}</p>'
