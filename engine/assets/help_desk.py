"""The project's own corpus, a help desk: one set of messages and one of articles a language, annotated for four tasks.

Written for Tunebench and dedicated to the public domain; the files are in demo/examples. Only reshaped here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.assets.tables import write_csv, write_jsonl

_PARAGRAPH = re.compile(r"[^\n]+(?:\n[^\n]+)*")
FOLDER = Path(__file__).parents[2] / "demo" / "examples"


def messages_file(language: str) -> Path:
    return FOLDER / f"help_desk.{language}.messages.jsonl"


def articles_file(language: str) -> Path:
    return FOLDER / f"help_desk.{language}.articles.jsonl"


def write_topics(messages: Path, out: Path) -> None:
    """`text,label`: a customer's message and what it is about."""
    write_csv(out, ("text", "label"), ((message["text"], message["topic"]) for message in _read(messages)))


def write_entities(messages: Path, out: Path) -> None:
    """JSON Lines of `text` and `spans` ({start, end, label}, character offsets)."""
    write_jsonl(
        out,
        (
            {
                "text": message["text"],
                "spans": [{"start": e["start"], "end": e["end"], "label": e["type"]} for e in message["entities"]],
            }
            for message in _read(messages)
        ),
    )


def write_questions(articles: Path, out: Path) -> None:
    """JSON Lines of `context`, `question` and `answers` as in the flat SQuAD: {text: [...], answer_start: [...]}.

    The context is one paragraph of an article, as in SQuAD: the one that answers the question, or where none does (the lists are
    empty) the one that looks most as if it did.
    """
    write_jsonl(
        out, (_asked(article["text"], question) for article in _read(articles) for question in article["questions"])
    )


def _asked(text: str, question: dict[str, Any]) -> dict[str, Any]:
    paragraphs = [(match.start(), match.end()) for match in _PARAGRAPH.finditer(text)]
    first = min((answer["start"] for answer in question["answers"]), default=None)
    if first is None:
        start, end = max(paragraphs, key=lambda place: _alike(question["question"], text[slice(*place)]))
    else:
        start, end = next(place for place in paragraphs if place[0] <= first < place[1])
    inside = [answer for answer in question["answers"] if answer["start"] + len(answer["text"]) <= end]
    return {
        "context": text[start:end],
        "question": question["question"],
        "answers": {
            "text": [answer["text"] for answer in inside],
            "answer_start": [answer["start"] - start for answer in inside],
        },
    }


def _alike(question: str, paragraph: str) -> int:
    """Pairs of neighbouring characters that both have, which serves English and Chinese."""
    pairs = [{text[place : place + 2] for place in range(len(text) - 1)} for text in (question, paragraph)]
    return len(pairs[0] & pairs[1])


def write_summaries(articles: Path, out: Path) -> None:
    """`document,summary`: a help article and its one-sentence summary."""
    write_csv(out, ("document", "summary"), ((article["text"], article["summary"]) for article in _read(articles)))


def count(path: Path, key: str) -> int:
    """How often `key` stands in the file as a JSON key: the number of messages ("topic") or of questions ("question")."""
    return path.read_text(encoding="utf-8").count(f'"{key}": ')


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
