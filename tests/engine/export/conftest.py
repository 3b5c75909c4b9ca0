"""Finished runs of tiny models, made once, and fresh environments to carry what is exported into."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from engine.config import RunConfig
from engine.run_directory.store import Run
from engine.runs.api import train
from tests.engine.questions import WORDS, rows, write
from tests.fresh import Fresh, fresh_environment, requirement_lines
from tests.tiny import save_encoder

SHORT = {"epochs": 2, "learning_rate": 3e-3, "batch_size": 16, "early_stopping": 0}


def tune(directory: Path, table: Path, model: Path, **values: object) -> Run:
    """A short run on a tiny model."""
    described = {
        "data": {"train": str(table), **values.pop("data", {})},
        "model": {"id": str(model)},
        "training": values.pop("training", SHORT),
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


@pytest.fixture(scope="session")
def ner_run(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A tagger that has learned something, so that there are entities to compare."""
    folder = tmp_path_factory.mktemp("ner")
    chance = random.Random(3)
    names, cities = ["ann", "bob", "eve"], ["paris", "rome", "oslo"]
    lines = []
    for _ in range(200):
        filler = " ".join(chance.choices(["the", "a", "was", "is", "film", "plot"], k=chance.randint(2, 7)))
        name, city = chance.choice(names), chance.choice(cities)
        text = f"{filler} {name} is in {city}"
        start, place = len(filler) + 1, len(text) - len(city)
        spans = [
            {"start": start, "end": start + len(name), "label": "PER"},
            {"start": place, "end": len(text), "label": "LOC"},
        ]
        lines.append({"text": text, "spans": spans})
    table = folder / "texts.jsonl"
    table.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    model = save_encoder("bert", folder / "model", ["the", "a", "was", "is", "film", "plot", "in", *names, *cities])
    learning = {"epochs": 8, "learning_rate": 5e-3, "batch_size": 16, "early_stopping": 0}
    return tune(runs, table, model, task="ner", training=learning, method={"freeze_embeddings": False})


@pytest.fixture(scope="session")
def qa_run(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("qa")
    table = write(folder / "questions.jsonl", rows())
    return tune(runs, table, save_encoder("bert", folder / "model", WORDS), task="qa", method={"name": "lora"})
