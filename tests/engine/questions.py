"""Questions whose answers a tiny model can learn to find: the name that stands before a word."""

from __future__ import annotations

import json
import random
from pathlib import Path

NAMES = ["ann", "bob", "eve", "tom", "sue"]
THINGS = ["cat", "dog", "bird"]
FILLER = ["the", "a", "is", "in", "red", "blue", "green", "box", "door", "sat", "on", "mat"]
WORDS = [*NAMES, *THINGS, *FILLER, "who", "has", "key", "where"]


def rows(count: int = 240, unanswerable: bool = True, seed: int = 0) -> list[dict]:
    """Rows of SQuAD's flat form; with `unanswerable`, every fourth asks for a thing that nobody has."""
    chance = random.Random(seed)

    def some(least: int, most: int) -> str:
        return " ".join(chance.choices(FILLER, k=chance.randint(least, most)))

    result = []
    for number in range(count):
        name, thing = chance.choice(NAMES), chance.choice(THINGS)
        if unanswerable and number % 4 == 0:
            context = f"{some(3, 12)} {thing} {some(4, 4)}"
            result.append(_row(number, context, "who has the key", []))
        else:
            context = f"{some(3, 12)} {name} has the {thing} {some(2, 30)}"
            result.append(_row(number, context, f"who has the {thing}", [name]))
    return result


def _row(number: int, context: str, question: str, answers: list[str]) -> dict:
    return {
        "id": f"q{number}",
        "context": context,
        "question": question,
        "answers": {"text": answers, "answer_start": [context.index(answer) for answer in answers]},
    }


def write(path: Path, result: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in result), encoding="utf-8")
    return path
