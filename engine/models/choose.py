"""Which embedded model suits a table when nobody named one.

Knows tasks and languages. Does not load anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.core.languages import NAMES, detect_languages
from engine.core.text import Text
from engine.models.catalog_entries import CATALOG

AUTOMATIC = "auto"
MOST_TEXTS = 2_000  # languages show in a part of a large table
FOREIGN = 0.1  # share of texts surely in a language that the model does not read, from which on it is the wrong one


def model_for(task: str, texts: Sequence[str]) -> tuple[str, Text]:
    """The catalogue name of the first embedded model for the task that reads the texts' languages, and the reason in words.

    Where none reads them all, the one that reads most. Short texts of which no language can be told decide nothing.
    """
    step = max(1, len(texts) // MOST_TEXTS)
    languages = Counter(detect_languages(texts[::step]))
    total = languages.total()
    embedded = [entry for entry in CATALOG.values() if task in entry.tasks and entry.package is not None]

    def foreign(reads: set[str]) -> int:
        return sum(count for language, count in languages.items() if language and language not in reads)

    unread = {entry.name: foreign({code for code in languages if entry.reads(code)}) for entry in embedded}
    chosen = next((e for e in embedded if unread[e.name] <= FOREIGN * total), None)
    chosen = chosen or min(embedded, key=lambda entry: unread[entry.name])
    main = next((NAMES[code] for code, _ in languages.most_common() if code), None)
    said = Text(f" for texts in {main.en}", f"，因为文本以{main.zh}为主") if main else Text("", "")
    return chosen.name, Text(
        f"The model was chosen automatically{said.en}: {chosen.title.en}.",
        f"已自动选择模型{said.zh}：{chosen.title.zh}。",
    )
