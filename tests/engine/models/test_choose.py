"""Which embedded model suits a table. Run: python -m pytest tests/engine/models/test_choose.py"""

from __future__ import annotations

import pytest

from engine.models.choose import model_for
from engine.tasks import TASKS

ENGLISH = ["The parcel was left with my neighbour and nobody told me that it was there."] * 9
CHINESE = ["快递太慢了，等了一个星期才到。"] * 9
GERMAN = ["Das Paket ist nicht angekommen, und ich warte seit einer Woche auf die Antwort."] * 9


@pytest.mark.parametrize(
    ("texts", "name", "output"),
    [
        (ENGLISH, "minilm", "English"),
        (CHINESE, "e5-small", "Chinese"),
        (GERMAN, "e5-small", "German"),
        (ENGLISH * 11 + CHINESE[:2], "minilm", "English"),
        (ENGLISH * 2 + CHINESE, "e5-small", "English"),
        (["ok", "12", "fine"], "minilm", "chosen automatically: "),
        ([], "minilm", "chosen automatically: "),
    ],
)
@pytest.mark.parametrize("task", ["classification", "ner", "qa"])
def test_the_model_reads_the_language(task, texts, name, output):
    chosen, reason = model_for(TASKS[task], texts)
    assert chosen == name
    assert output in reason.en


def test_where_no_model_reads_the_language_the_nearest_is_taken():
    assert model_for(TASKS["summarization"], CHINESE)[0] == "smollm2"
