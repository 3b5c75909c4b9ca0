"""Finished runs of tiny models, made once, and fresh environments to carry what is exported into."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.config import RunConfig
from engine.runs.api import train
from engine.runs.store import Run
from tests.fresh import Fresh, fresh_environment, requirement_lines
from tests.tiny import save_encoder

SHORT = {"epochs": 2, "learning_rate": 3e-3, "batch_size": 16, "early_stopping": 0}


def tune(directory: Path, table: Path, model: Path, **values: object) -> Run:
    """A short run on a tiny model."""
    described = {
        "data": {"train": str(table), **values.pop("data", {})},
        "model": {"id": str(model)},
        "training": SHORT,
        "evaluation": {"bootstrap_samples": 200},
        **values,
    }
    return train(RunConfig.from_dict(described), runs_dir=directory)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def full_run(runs: Path, sentences: Path, tiny_bert: Path) -> Run:
    return tune(runs, sentences, tiny_bert, name="Film verdicts")


@pytest.fixture(scope="session")
def lora_run(runs: Path, sentences: Path, tiny_bert: Path) -> Run:
    return tune(runs, sentences, tiny_bert, method={"name": "lora"})


@pytest.fixture(scope="session")
def multi_run(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Several labels a text, pairs of texts, personal data masked, and a family with other ideas of token types."""
    folder = tmp_path_factory.mktemp("multi")
    words = ["the", "a", "was", "is", "very", "film", "cast", "it", "and", "but", "not", "fine"]
    lines = []
    for i in range(120):
        filler = " ".join(words[(i * 7 + j * 5) % len(words)] for j in range(3 + i % 4))
        labels = (["praise"] if i % 2 else []) + (["sound"] if i % 3 else [])
        text = (
            f"{filler} {'good' if i % 2 else 'bad'} {'music' if i % 3 else 'plot'} {words[i // 12]} ada{i}@example.org"
        )
        lines.append({"text": text, "text_pair": f"{words[i % 12]} film", "labels": labels})
    table = folder / "table.jsonl"
    table.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    model = save_encoder("roberta", folder / "model")
    columns = {"text": "text", "text_pair": "text_pair", "label": "labels"}
    return tune(runs, table, model, data={"columns": columns, "fixes": ["mask_personal_data"]})


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory):
    """Environments by their requirements, made once for each."""
    made: dict[str, Fresh] = {}

    def make(requirements: str) -> Fresh:
        if requirements not in made:
            folder = tmp_path_factory.mktemp("fresh") / "environment"
            made[requirements] = fresh_environment(folder, requirement_lines(requirements))
        return made[requirements]

    return make
