"""What the engine's tests share: a tiny model, a small table, a place for runs."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from tests.tiny import save_encoder

GOOD, BAD = ("good", "great", "fine"), ("bad", "awful", "poor")


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory) -> Path:
    """A random BERT of two layers that reads the words of `sentences`."""
    return save_encoder("bert", tmp_path_factory.mktemp("tiny-bert"))


@pytest.fixture(scope="session")
def sentences(tmp_path_factory) -> Path:
    """240 sentences whose label one of their words gives away: a working model must learn it."""
    chance = random.Random(0)
    path = tmp_path_factory.mktemp("data") / "sentences.csv"
    seen: set[str] = set()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["review", "verdict"])
        while len(seen) < 240:
            good = len(seen) % 2 == 0
            filler = chance.choices(
                ["the", "a", "was", "is", "very", "film", "plot", "cast", "music", "it", "and", "but"],
                k=chance.randint(2, 9),
            )
            filler.insert(chance.randrange(len(filler) + 1), chance.choice(GOOD if good else BAD))
            text = " ".join(filler)
            if text not in seen:
                seen.add(text)
                writer.writerow([text, "positive" if good else "negative"])
    return path


@pytest.fixture
def runs_dir(tmp_path, monkeypatch) -> Path:
    """An empty place for runs, also for child processes."""
    monkeypatch.setenv("TUNEBENCH_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "runs"
