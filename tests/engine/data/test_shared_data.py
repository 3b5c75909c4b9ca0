"""Real data sets load with no option but the task. They lie beside the repository, in shared/data; without them: skipped.

Run: python -m pytest tests/engine/data/test_shared_data.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import DataConfig
from engine.core.settings import Settings
from engine.data.columns import resolve_tables
from engine.data.examples import read_examples
from engine.data.load import read_tables
from engine.tasks import TASKS

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"needs the public data sets in {DATA}")

SETS = {
    "banking77": ("classification", "train.csv", "test.csv", {"text": "text", "label": "category"}, (10_003, 3_080)),
    "wnut17": ("ner", "train.conll", "test.conll", {"tokens": "tokens", "tags": "tags"}, (3_394, 1_287)),
    "xquad": ("qa", "en.json", "zh.json", {"context": "context", "question": "question", "answers": "answers"}, (1_190,) * 2),
    "dialogsum": ("summarization", "dev.jsonl", "test.jsonl", {"document": "dialogue", "summary": "summary"}, (500, 500)),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_loads_with_the_task_alone(name, tmp_path):
    task, train, test, columns, rows = SETS[name]
    data = DataConfig(train=str(DATA / name / train), test=str(DATA / name / test))
    tables = read_tables(data, TASKS[task], Settings(cache_dir=tmp_path, runs_dir=tmp_path))
    mappings = resolve_tables(tables, TASKS[task], {})
    assert mappings == {"train": columns, "test": columns}
    for split, expected in zip(("train", "test"), rows, strict=True):
        examples, notices = read_examples(tables[split], TASKS[task], mappings[split], data)
        assert len(examples) == expected
        assert notices == []
        if task == "qa":
            for example in examples:
                for answer in example.target:
                    assert example.inputs["context"].startswith(answer["text"], answer["start"])
        if task == "ner":
            assert {span["label"] for example in examples for span in example.target} == {
                "corporation", "creative-work", "group", "location", "person", "product"
            }  # fmt: skip
    if task == "summarization":
        assert all(len(example.target) == 3 for example in examples)
