"""What memory finds, and which entities are new.

Run: python -m pytest tests/engine/evaluation/ner/test_entity_memory.py
"""

from __future__ import annotations

from engine.schema import Example
from engine.tasks.ner import seen
from engine.tasks.ner.lexicon import Lexicon


def example(text: str, *entities: tuple[str, str]) -> Example:
    spans = []
    for surface, label in entities:
        start = text.index(surface)
        spans.append({"start": start, "end": start + len(surface), "label": label})
    return Example(1, {"text": text}, tuple(spans))


TRAIN = [
    example("Ann Lee went to New York.", ("Ann Lee", "PER"), ("New York", "LOC")),
    example("New York University is in New York", ("New York University", "ORG")),
    example("May met May in May", ("May", "PER")),
    example("北京大学在海淀", ("北京大学", "ORG"), ("海淀", "LOC")),
]


def found(text: str) -> list[tuple[str, str]]:
    return [(text[s["start"] : s["end"]], s["label"]) for s in Lexicon(TRAIN).find(Example(1, {"text": text}, ()))]


def test_the_longest_known_entity_is_found_with_its_place():
    assert found("At New York University, not New  York, Ann Lee") == [
        ("New York University", "ORG"), ("New  York", "LOC"), ("Ann Lee", "PER"),
    ]  # fmt: skip
    assert found("他在北京大学，不在海淀区") == [("北京大学", "ORG"), ("海淀", "LOC")]
    assert found("new york Annette") == []


def test_what_is_mostly_no_entity_is_forgotten():
    assert found("May is here") == [], "an entity once in three places"


def test_no_entities_in_training_is_no_error():
    assert Lexicon([Example(1, {"text": "a b"}, ())]).find(Example(1, {"text": "a"}, ())) == []


def test_entities_are_seen_by_text_and_type():
    known = seen.known_entities(TRAIN)
    test = [example("ANN  LEE saw Bob in New York", ("ANN  LEE", "PER"), ("Bob", "PER"), ("New York", "ORG"))]
    given = [[{"start": 0, "end": 8, "label": "PER"}, {"start": 13, "end": 16, "label": "PER"}, {"start": 9, "end": 12, "label": "LOC"}]]  # fmt: skip
    counts = seen.statistics(test, given, known)
    assert counts.tolist() == [[1, 1, 1, 1, 2, 2]], "the same name of another type is new"
    metrics = seen.metrics_from(counts.sum(axis=0))
    assert metrics["seen.recall"] == 1.0 and metrics["new.recall"] == 0.5 and metrics["new.precision"] == 0.5
