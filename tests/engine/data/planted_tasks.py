"""Clean files for tagging, question answering and summarization, and the same files with one fault of each kind planted in them.

Every fault is planted as a file would really hold it; `FAULTS[task]` maps the code of a finding to the rows that cause it. Test
tables repeat training rows (leakage).
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tests.engine.data.planted import COMMON, LEANING

Row = dict[str, Any]
NAMES = ["Ann Lee", "Bo Chen", "Carla Diaz", "Dev Patel", "Eva Braun", "Finn Olsen", "Gina Rossi", "Hugo Silva"]
PLACES = ["Rome", "Oslo", "Cairo", "Lima", "Delhi", "Paris", "Quito", "Perth"]
WORDS = [*COMMON, *(word for words in LEANING.values() for word in words)]


def _words(rng: random.Random, count: int) -> str:
    return " ".join(rng.choices(WORDS, k=count))


def spans_row(text: str, *spans: tuple[str, str] | tuple[int, int, str]) -> Row:
    """A text and its entities: (words in it, type), or offsets where they are the fault."""
    result = []
    for span in spans:
        if len(span) == 2:
            start = text.index(span[0])
            result.append({"start": start, "end": start + len(span[0]), "label": span[1]})
        else:
            result.append({"start": span[0], "end": span[1], "label": span[2]})
    return {"text": text, "spans": result}


def clean_ner(seed: int = 1, count: int = 80) -> list[Row]:
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        name, place = rng.choice(NAMES), rng.choice(PLACES)
        text = f"{_words(rng, 5)} {name} {_words(rng, 4)} in {place} {_words(rng, 3)}"
        rows.append(spans_row(text, (name, "PER"), (place, "LOC")))
    return rows


def clean_qa(seed: int = 2, count: int = 30) -> list[Row]:
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        name, place = rng.choice(NAMES), rng.choice(PLACES)
        context = f"{_words(rng, 12)} {name} {_words(rng, 8)} near {place} {_words(rng, 9)}."
        requests = _words(rng, 3)
        for question, answer in ((f"Who {requests} {number}?", name), (f"Where {requests} {number}?", place)):
            rows.append(answered(context, question, answer))
    return rows


def answered(context: str, question: str, answer: str, start: int | None = None) -> Row:
    if not answer:
        return {"context": context, "question": question, "answers": {"text": [], "answer_start": []}}
    place = context.index(answer) if start is None else start
    return {"context": context, "question": question, "answers": {"text": [answer], "answer_start": [place]}}


def clean_summaries(seed: int = 3, count: int = 70) -> list[Row]:
    rng = random.Random(seed)
    return [{"document": f"{_words(rng, 40)}.", "summary": f"{_words(rng, 8)}."} for _ in range(count)]


_LONG = " ".join(WORDS * 9)
_CONTEXT = "the manual of the shop says that the tower was finished by the bank in the evening of the second week"
_FOREIGN = [
    "ich habe die Rechnung nicht bekommen und es ist nicht die erste, sagt Ann Lee",
    "der Bildschirm ist kaputt und ich bin sehr enttäuscht von dem Gerät aus Rome",
    "le colis est arrivé dans une boîte qui est très abîmée, selon Ann Lee",
]
_NEAR = "how can my friend change the address of the order after payment was made yesterday"

FAULTS: dict[str, dict[str, list[Row]]] = {
    "ner": {
        "empty_text": [{"text": "", "spans": []}],
        "missing_labels": [{"text": "nobody has looked at this message of the shop yet", "spans": None}],
        "span_out_of_range": [spans_row("the parcel came to Rome", (19, 90, "LOC"))],
        "span_moved": [{"text": "my friend Ann Lee called", "spans": [{"start": 2, "end": 9, "label": "PER", "text": "Ann Lee"}]}],
        "span_blanks": [spans_row("please ask Bo Chen about it again", (11, 19, "PER"))],
        "span_inside_word": [spans_row("the courier drove from Cairo this morning", (23, 26, "LOC"))],
        "span_overlap": [spans_row("a letter from Carla Diaz of Lima", ("Carla Diaz", "PER"), ("Diaz", "LOC"))],
        "label_spellings": [spans_row("somebody in Perth lost the box", ("Perth", "loc"))],
        "duplicates": [spans_row("the same order went to Delhi again", ("Delhi", "LOC"))] * 2,
        "conflicting_labels": [
            spans_row("is Paris the name of your friend", ("Paris", "PER")),
            spans_row("is Paris the name of your friend", ("Paris", "LOC")),
        ],
        "near_duplicates": [spans_row(f"{_NEAR} by Eva Braun", ("Eva Braun", "PER")), spans_row(f"{_NEAR} by Eva Braun !", ("Eva Braun", "PER"))],
        "broken_characters": [spans_row("the caf\ufffd in Oslo took my parcel", ("Oslo", "LOC"))],
        "language_mix": [spans_row(text) for text in _FOREIGN],
        "personal_data": [spans_row("write to gina.rossi@example.org in Quito", ("Quito", "LOC"))],
        "too_long": [spans_row(_LONG)],
    },
    "qa": {
        "empty_text": [answered("", "what is there to read about the shop?", "")],
        "answer_moved": [answered(_CONTEXT, "who was it that made the tower?", "the bank", 3)],
        "answer_not_in_context": [answered(_CONTEXT, "which bridge was made?", "the long bridge", 0)],
        "answer_inside_word": [answered(_CONTEXT, "in which part of the day?", "even")],
        "answer_is_context": [answered(_CONTEXT, "what does the manual say?", _CONTEXT[:95])],
        "duplicates": [answered(_CONTEXT, "when was the tower ready?", "the second week")] * 2,
        "broken_characters": [answered(f"{_CONTEXT} caf\ufffd", "where is the caf\ufffd?", "")],
        "language_mix": [answered(f"{text}. {text}!", f"was sagt man, {i}?", "") for i, text in enumerate(_FOREIGN)],
        "personal_data": [answered(f"{_CONTEXT}, call +49 30 901820 please", "whom do I call?", "")],
        "too_long": [answered(_LONG, "what is all this about?", "")],
    },
    "summarization": {
        "empty_text": [{"document": " ", "summary": "a short answer"}],
        "missing_labels": [{"document": f"{_CONTEXT} and never came back", "summary": ""}],
        "summary_longer": [{"document": "the door is broken", "summary": "the handle of the door of the truck looked broken"}],
        "summary_copy": [{"document": "this is all there was to say", "summary": "This is all there was to say"}],
        "summary_numbers": [{"document": f"{_CONTEXT} with three friends", "summary": "47 friends made the tower"}],
        "duplicates": [{"document": f"{_CONTEXT} again and again", "summary": "the tower again"}] * 2,
        "near_duplicates": [{"document": f"{_NEAR} with the card", "summary": "a new address"}, {"document": f"{_NEAR} with the card !", "summary": "an address"}],
        "broken_characters": [{"document": "somebody in the caf\ufffd took a parcel with a cable and the manual of a friend", "summary": "a parcel and more"}],
        "language_mix": [{"document": text, "summary": text[:20]} for text in _FOREIGN],
        "personal_data": [{"document": f"{_CONTEXT}, my card is 4111 1111 1111 1111", "summary": "the tower and a card"}],
        "too_long": [{"document": _LONG, "summary": "very much about the shop"}],
    },
}  # fmt: skip
CLEAN = {"ner": clean_ner, "qa": clean_qa, "summarization": clean_summaries}


def write(path: Path, rows: list[Row]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)
