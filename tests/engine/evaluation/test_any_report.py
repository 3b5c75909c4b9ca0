"""A report can be made of any model, however good, bad or odd, of every task, and all that it says it says in both languages.

Run: python -m pytest tests/engine/evaluation/test_any_report.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.report.files import FILES, load_report, write_report
from engine.schema import Example
from engine.tasks import task_named
from engine.tasks.model import EvaluationData, EvaluationSettings, task_model
from engine.tasks.ner.decode import EntityTypes, Tagged
from engine.tasks.qa.decode import Answers
from engine.tasks.qa.spans import Prediction, Span

TEXT = "Nora Vale of Larkmoor sent £120 from Leicester on 3 March. 澜禾的周敏从苏州寄出了包裹。The warehouse opens at seven."
WORDS = [(0, 9), (13, 21), (27, 31), (37, 46), (50, 57), (59, 61), (62, 64), (65, 67)]
TYPES = ["AMOUNT", "DATE", "PERSON", "PLACE"]
QUESTIONS = ["Who sent it?", "Where does it stand?", "When does it open?", "周敏从哪里寄出？", "How much was sent?"]
ROWS = (1, 3, 60)
KINDS = ("right", "wrong", "silent", "chance", "cut", "weak")


def draw(seed: int, low: int, high: int, size: int) -> list[int]:
    return np.random.default_rng(seed).integers(low, high, size=size).tolist()


def facts(rows: int) -> dict[str, Any]:
    history = [
        {"epoch": float(epoch), "train_loss": 1.0 / epoch, "loss": 0.5 + 0.2 * epoch, "metrics": {}}
        for epoch in range(1, 6)
    ]
    return {"model": "minilm", "method": "full", "best_epoch": 1.0, "history": history, "rows": {"test": rows}}


def evaluation_data(
    rows: int, outputs: Any, examples: list[list[Example]], output: Any, before: Any, held: Any
) -> EvaluationData:
    settings = EvaluationSettings(bootstrap_samples=100)
    train, validation, test = examples
    return EvaluationData(settings, outputs, train, validation, test, output, before, held, facts(rows))


def ner(rows: int, kind: str, seed: int) -> EvaluationData:
    """`cut` finds parts of entities, `weak` misses a type; the test rows hold a type that training never had."""

    def examples(count: int, types: list[str]) -> list[Example]:
        return [
            Example(
                row,
                {"text": f"{row} {TEXT}" if count != rows else f"{row % 7} {TEXT}"},
                tuple(
                    {"start": a + 2 + (row >= 10 and count != rows), "end": b + 2 + (row >= 10 and count != rows), "label": types[(row + place) % len(types)]}
                    for place, (a, b) in enumerate(WORDS[: row % 5])
                ),
            )
            for row in range(1, count + 1)
        ]  # fmt: skip

    def answer(example: Example, number: int) -> Tagged:
        gold = [dict(span, score=0.9) for span in example.target]
        other = {"start": 2, "end": 4, "label": "PERSON", "score": 0.99}
        spans = {
            "right": gold,
            "wrong": [dict(span, label="AMOUNT" if span["label"] != "AMOUNT" else "DATE") for span in gold],
            "silent": [],
            "chance": gold if number % 2 else [other],
            "cut": [dict(span, end=span["start"] + 1) for span in gold],
            "weak": [span for span in gold if span["label"] != "DATE"],
        }[kind]
        return Tagged(np.zeros(0), np.zeros(0), np.zeros((0, 9)), spans)

    parts = [examples(40, TYPES[:3]), examples(8, TYPES[:3]), examples(rows, TYPES)]
    output, held = (
        [answer(one, number) for one, number in zip(part, draw(seed, 0, 2, len(part)), strict=True)]
        for part in (parts[2], parts[1])
    )
    before = [Tagged(np.zeros(0), np.zeros(0), np.zeros((0, 9)), []) for _ in parts[2]] if seed % 2 else None
    return evaluation_data(rows, EntityTypes(TYPES[:3]), parts, output, before, held)


def qa(rows: int, kind: str, seed: int) -> EvaluationData:
    """`cut` gives parts of the answers, `weak` none right of one kind; an odd seed has questions without one."""

    def examples(count: int) -> list[Example]:
        return [
            Example(
                row,
                {"context": f"{TEXT} {row}" if row % 2 else TEXT, "question": QUESTIONS[row % len(QUESTIONS)]},
                ()
                if seed % 2 and row % 3 == 0
                else ({"start": (at := WORDS[row % len(WORDS)])[0], "text": TEXT[at[0] : at[1]]},),
            )
            for row in range(1, count + 1)
        ]

    def answer(example: Example, number: int) -> Prediction:
        if kind == "silent":
            return Prediction([], [], 1.0)
        gold = example.target[0] if example.target else {"start": 98, "text": "seven"}
        start, end = gold["start"], gold["start"] + len(gold["text"])
        weak = kind == "weak" and example.inputs["question"] == QUESTIONS[1]
        if kind == "wrong" or weak or (kind == "chance" and number % 2):
            start, end = 70, 79
        if kind == "cut":
            end = start + 1
        spans = [Span(start, end, 3.0 + number), Span(0, 4, 1.0)]
        return Prediction(spans, spans, 9.0 if kind == "right" and not example.target else 0.0)

    parts = [examples(40), examples(8), examples(rows)]
    output, held = (
        [answer(one, number) for one, number in zip(part, draw(seed, 0, 2, len(part)), strict=True)]
        for part in (parts[2], parts[1])
    )
    before = [Prediction([], [], 0.0) for _ in parts[2]] if seed < 2 else None
    return evaluation_data(rows, Answers(bool(seed % 2), 40, 1.0), parts, output, before, held)


def summarization(rows: int, kind: str, seed: int) -> EvaluationData:
    """`cut` writes far too little, `weak` copies; an odd seed is Chinese."""
    chinese = bool(seed % 2)
    document = "周敏从苏州寄出了包裹。仓库每天七点开门。退货免费。" if chinese else TEXT
    summary = "周敏寄出了包裹。" if chinese else "Nora Vale sent £120 from Leicester."

    def examples(count: int) -> list[Example]:
        return [Example(row, {"document": f"{document} {row}"}, (summary, summary[:9])) for row in range(1, count + 1)]

    def answer(number: int) -> str:
        odd = "共有 99 件。" if chinese else "Otto Brandt sent 99 of them, sent 99 of them, sent 99 of them again. "
        return {
            "right": summary,
            "wrong": odd * 3,
            "silent": "",
            "chance": summary if number % 2 else odd,
            "cut": summary[:2],
            "weak": document,
        }[kind]

    parts = [examples(40), examples(8), examples(rows)]
    output = [answer(number) for number in draw(seed, 0, 2, rows)]
    made = evaluation_data(rows, None, parts, output, [document] * rows if seed < 2 else None, [summary] * 8)
    made.facts |= {"test_rows": rows + 5 * (seed % 2), "lost_share": {"train": 0.1, "test": 0.2}, "max_length": 128}
    return made


MAKE = {"ner": ner, "qa": qa, "summarization": summarization}


def texts(value: Any) -> Iterator[dict[str, str]]:
    """All that is said in words: {"en", "zh"} wherever it stands."""
    if isinstance(value, dict):
        if set(value) == {"en", "zh"}:
            yield value
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", MAKE)
def test_whatever_the_model_says(task: str, kind: str, rows: int, tmp_path: Path) -> None:
    for seed in range(4):
        report, records = task_model(task_named(task)).report(MAKE[task](rows, kind, seed))
        directory = tmp_path / str(seed)
        write_report(report, directory, records)
        written = load_report(directory)
        output = list(texts(written))
        assert len(output) > 8
        for text in output:
            assert text["en"].strip() and text["zh"].strip()
        assert len(directory.joinpath("predictions.jsonl").read_text(encoding="utf-8").splitlines()) == rows
        for name in FILES.values():
            assert len(directory.joinpath(name).read_text(encoding="utf-8")) > 500


@pytest.mark.parametrize("task", MAKE)
def test_a_perfect_model_and_a_silent_one_are_told_apart(task: str) -> None:
    scores = {
        kind: task_model(task_named(task)).report(MAKE[task](60, kind, 0))[0]["headline"]["value"]
        for kind in ("right", "silent")
    }
    assert scores["right"] > 0.7
    assert scores["silent"] < 0.3
