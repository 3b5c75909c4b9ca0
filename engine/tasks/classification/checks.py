"""The data check on cells that hold several labels."""

from __future__ import annotations

from collections import Counter

from engine.core.text import Text
from engine.data.corpus import Corpus
from engine.data.findings import Finding, Fix, counted, first_places

_SEPARATORS = (";", "；", "|", "、", "，", ",", "/", "+", "#")
_JOINED = 0.02  # share of the rows whose label has a separator in it
_SHARED = 0.8  # share of the parts that occur in other cells too
_LONGEST_LABEL = 40  # characters; longer parts are sentences


def check_several_labels(corpus: Corpus) -> list[Finding]:
    """Finding several_labels: cells such as a;b in a column of single labels, whose parts occur in other cells too."""
    if not all(isinstance(example.target, str) for example in corpus.train):
        return []
    counts = Counter(example.target for example in corpus.train)
    total = counts.total()
    for separator in _SEPARATORS:
        joined = {label for label in counts if separator in label.strip(separator + " ")}
        rows = sum(counts[label] for label in joined)
        if rows < max(3, _JOINED * total):
            continue
        # Different cells that hold a part, not rows: "Arts, Culture" a hundred times is one class with a comma in its name.
        cells: Counter[str] = Counter()
        for label in counts:
            cells.update({part.strip() for part in label.split(separator)} - {""})
        parts = [part.strip() for label in joined for part in label.split(separator)]
        shared = sum(cells[part] >= 2 for part in parts)
        if "" in parts or shared < _SHARED * len(parts) or max(map(len, parts)) > _LONGEST_LABEL:
            continue
        places = [
            corpus.place("train", example, text=example.target, target=True)
            for example in corpus.train
            if example.target in joined
        ]
        return [
            Finding(
                "several_labels",
                "warning",
                Text(
                    f"{counted(rows, 'row seems', 'rows seem')} to hold several labels, parted by {separator!r}; as it stands each combination is "
                    f"a class of its own ({len(counts):,} instead of {len(cells):,}).",
                    f"{rows:,} 行似乎含有多个标签，以 {separator!r} 分隔；目前每种组合都被当作一个类别"
                    f"（{len(counts):,} 个，拆分后为 {len(cells):,} 个）。",
                ),
                rows,
                first_places(places),
                Fix(
                    "split_labels",
                    Text(f"Part the labels at {separator}", f"按 {separator} 拆分标签"),
                    {"data.label_separator": separator},
                ),
                {"separator": separator, "classes": len(cells)},
            )
        ]
    return []
