"""A run directory as a worker would leave it, without a worker: what the page reads, and nothing else."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from engine.config import RunConfig
from engine.core.text import Text
from engine.run_directory.store import Run, Store

START = 1_800_000_000.0


def make_run(directory: Path, **changes: Any) -> Run:
    """A run of the example; `changes` are fields of the manifest."""
    run = Store(directory).create(RunConfig.from_dict({"data": {"example": "rated-sentences"}}))
    run.update(**changes)
    return run


def write_events(run: Run, events: list[dict[str, Any]]) -> None:
    with run.path("events.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(event, ensure_ascii=False) + "\n" for event in events)


def event(kind: str, elapsed: float, **values: Any) -> dict[str, Any]:
    return {"type": kind, "time": START + elapsed, "elapsed": elapsed, **values}


def step(number: int, total: int, elapsed: float, epochs: float = 4.0, loss: float = 0.5) -> dict[str, Any]:
    return event(
        "step",
        elapsed,
        step=number,
        total_steps=total,
        epoch=epochs * number / total,
        loss=loss,
        learning_rate=1e-4,
        grad_norm=1.0,
        examples_per_second=100.0,
        tokens_per_second=3000.0,
        memory_mb=900.0,
    )


def both(text: str) -> dict[str, str]:
    return Text(text, text).to_dict()


def report(label_a: str = "yes", label_b: str = "no", text: str = "A text") -> dict[str, Any]:
    """A report of the engine's schema, small. The arguments stand where a person's table would be quoted."""
    score = {"accuracy": 0.9, "macro_f1": 0.9}
    spread = {"accuracy": [0.85, 0.94], "macro_f1": [0.85, 0.94]}
    mistake = {
        "row": 7,
        "inputs": {"text": text},
        "label": label_a,
        "prediction": label_b,
        "confidence": 0.97,
        "probabilities": [{"label": label_b, "probability": 0.97}],
        "likely_mislabelled": True,
    }
    classes = [
        {
            "label": label,
            "precision": 0.9,
            "recall": 0.88,
            "f1": 0.89,
            "f1_low": 0.8,
            "f1_high": 0.93,
            "support": 50,
            "train_support": 400,
            "confused_with": [{"label": other, "count": 5}],
        }
        for label, other in ((label_a, label_b), (label_b, label_a))
    ]
    return {
        "schema": 1,
        "task": "classification",
        "multi_label": False,
        "run": {"model": text, "method": "full", "seed": 42},
        "headline": {
            "metric": "accuracy",
            "label": both("accuracy"),
            "value": 0.9,
            "low": 0.85,
            "high": 0.94,
            "confidence": 0.95,
            "rows": 100,
        },
        "verdict": {
            "level": "useful",
            "label": both("Better"),
            "sentence": both(f"Weak on {label_a}."),
            "points": [{"kind": "weak_classes", "text": both(f"Weak on {label_a}.")}],
        },
        "test": score,
        "intervals": spread,
        "baselines": {
            "majority": {
                "label": both("Most frequent"),
                "about": both("Always the same."),
                "metrics": {"accuracy": 0.5, "macro_f1": 0.33},
                "intervals": {"accuracy": [0.4, 0.6], "macro_f1": [0.3, 0.4]},
                "difference": {"metric": "accuracy", "value": 0.4, "low": 0.3, "high": 0.5, "p_value": 0.001},
            }
        },
        "classes": classes,
        "confusion": {"labels": [label_a, label_b], "matrix": [[44, 6], [4, 46]]},
        "calibration": {
            "ece": 0.04,
            "brier": 0.1,
            "bins": [
                {"low": 0.5, "high": 0.8, "confidence": 0.7, "accuracy": 0.6, "count": 20},
                {"low": 0.8, "high": 1.0, "confidence": 0.95, "accuracy": 0.93, "count": 80},
            ],
        },
        "mistakes": [mistake],
        "mistake_count": 10,
        "slices": [
            {"kind": "length", "name": both(name), "n": 50, "value": 0.9, "low": 0.8, "high": 0.95}
            for name in ("short", "long")
        ],
        "more_data": {
            "sizes": [100, 200],
            "scores": [0.8, 0.85],
            "gain": 0.05,
            "low": 0.01,
            "high": 0.1,
            "says": both("More data would help."),
        },
    }


def write_report(run: Run, content: dict[str, Any]) -> None:
    folder = run.path("report")
    folder.mkdir()
    folder.joinpath("report.json").write_text(json.dumps(content), encoding="utf-8")
    mistake = content["mistakes"][0]
    row = {**mistake, "target": mistake["label"], "correct": False}
    folder.joinpath("predictions.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")


def finished_run(directory: Path, **words: str) -> Run:
    """A completed run with events, report and test rows."""
    run = make_run(
        directory, state="completed", started=time.time(), finished=time.time() + 60, model=words.get("text", "minilm")
    )
    labels = list(words.values())[:1] or ["yes"]
    write_events(
        run,
        [
            event("phase", 0.0, phase="data"),
            event("notice", 0.5, code="said", severity="warning", message=both(words.get("text", "Something"))),
            event("phase", 1.0, phase="train"),
            *(step(n, 100, 1.0 + n / 10, loss=1 / n) for n in range(1, 101)),
            event(
                "evaluation",
                5.0,
                step=50,
                epoch=2.0,
                loss=0.4,
                metrics={"accuracy": 0.85, "macro_f1": 0.84},
                best=False,
            ),
            event(
                "evaluation", 11.0, step=100, epoch=4.0, loss=0.3, metrics={"accuracy": 0.9, "macro_f1": 0.9}, best=True
            ),
            event("state", 12.0, state="completed", error=None),
        ],
    )
    write_report(run, report(**words))
    run.path("data").mkdir()
    rows = [{"row": n, "inputs": {"text": words.get("text", f"Text {n}")}, "target": labels[0]} for n in range(1, 4)]
    run.path("data", "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return run
