"""The automatic choice of an embedded model for a table.

Knows tasks and languages. Does not load anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.core.languages import NAMES, detect_languages
from engine.core.text import Text
from engine.models.catalog_entries import CATALOG, ModelledTask

AUTOMATIC = "auto"
MAX_TEXTS = 2_000  # of which languages are detected
MAX_UNREAD_SHARE = 0.1  # of texts in a language that the model was not trained on; above, another model is chosen


def model_for(task: ModelledTask, texts: Sequence[str]) -> tuple[str, Text]:
    """The catalogue name of the first embedded model for the task that reads the texts' languages, and the reason in words.

    Where none reads them all, the one that reads most. Short texts whose language cannot be detected do not count.
    """
    step = max(1, len(texts) // MAX_TEXTS)
    languages = Counter(detect_languages(texts[::step]))
    total = languages.total()
    embedded = [entry for entry in CATALOG.values() if entry.serves(task) and entry.package is not None]

    def unread_texts(reads: set[str]) -> int:
        return sum(count for language, count in languages.items() if language and language not in reads)

    unread = {entry.name: unread_texts({code for code in languages if entry.reads(code)}) for entry in embedded}
    chosen = next((e for e in embedded if unread[e.name] <= MAX_UNREAD_SHARE * total), None)
    chosen = chosen or min(embedded, key=lambda entry: unread[entry.name])
    main = next((NAMES[code] for code, _ in languages.most_common() if code), None)
    reason = Text(f" for texts in {main.en}", f"，因为文本以{main.zh}为主") if main else Text("", "")
    return chosen.name, Text(
        f"The model was chosen automatically{reason.en}: {chosen.title.en}.",
        f"已自动选择模型{reason.zh}：{chosen.title.zh}。",
    )
