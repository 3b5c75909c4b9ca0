"""How long the data check takes on many short rows, each task's kind of table, read from a file as a person would bring it.

Run alone on the machine: python benchmarks/data_check.py [--rows 100000] [--task classification] [--language en]
Prints a line of seconds a task (reading, mapping, checking) and, as its last line, JSON. Target: under 20 s on 2 cores.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.config import RunConfig
from engine.core.settings import Settings
from engine.data.columns import resolve_tables
from engine.data.load import read_tables
from engine.tasks import TASKS
from engine.training.data_check import check_config

CLASSES = [f"class {n}" for n in range(20)]
_ENGLISH = (
    "the my your it is was and with for not this that have please can you how what when there after before because again "
    "today yesterday week month called answer help really still never always another order shop website letter number friend "
    "morning evening invoice refund charged card bank fee payment parcel courier late truck door address waiting screen battery"
)
ENGLISH = _ENGLISH.split()
CHINESE = "我你他这那个的了在是有和就不都很好坏快慢大小多少前后今天昨天请问怎么什么时候订单快递退款发票电话地址客服商品屏幕电池颜色"


def sentence(rng: random.Random, language: str, number: int) -> str:
    """A short text of its own: random words, so that near duplicates are as rare as in real tables."""
    if language == "zh":
        return "".join(rng.choices(CHINESE, k=rng.randint(8, 40))) + str(number)
    return " ".join(rng.choices(ENGLISH, k=rng.randint(5, 20))) + f" {number}"


def row(rng: random.Random, task: str, language: str, number: int) -> dict[str, Any]:
    text = sentence(rng, language, number)
    if task == "classification":
        return {"text": text, "label": rng.choice(CLASSES)}
    if task == "ner":
        name = rng.choice(["Ann Lee", "Bo Chen", "Rome", "北京"])
        start = len(text) + 1
        return {"text": f"{text} {name}", "spans": [{"start": start, "end": start + len(name), "label": "NAME"}]}
    if task == "qa":
        answer = str(number)
        answers = {"text": [answer], "answer_start": [text.rindex(answer)]}
        return {"context": text, "question": f"{sentence(rng, language, number)}?", "answers": answers}
    return {"document": f"{text} {sentence(rng, language, number)}", "summary": text[:20]}


def write(path: Path, rows: int, task: str, language: str) -> Path:
    rng = random.Random(7)
    if task == "classification":
        with path.with_suffix(".csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, ("text", "label"))
            writer.writeheader()
            writer.writerows(row(rng, task, language, n) for n in range(rows))
        return path.with_suffix(".csv")
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row(rng, task, language, n), ensure_ascii=False) + "\n" for n in range(rows))
    return path


def measure(task: str, rows: int, language: str, model: str, folder: Path) -> dict[str, Any]:
    """Seconds of reading and mapping, and of the whole check (which reads, maps and looks)."""
    settings = Settings.from_env(runs_dir=folder / "runs")
    path = write(folder / f"{task}.jsonl", rows, task, language)
    values = {"task": task, "data": {"train": str(path)}, "model": {"id": model}}
    config = RunConfig.from_dict(values)
    begun = time.perf_counter()
    resolve_tables(read_tables(config.data, TASKS[task], settings), TASKS[task], {})
    read = time.perf_counter() - begun
    begun = time.perf_counter()
    result = check_config(config, settings)
    whole = time.perf_counter() - begun
    return {
        "task": task, "language": language, "rows": rows, "read": round(read, 2), "check": round(whole, 2),
        "findings": [finding.code for finding in result.findings],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--task", action="append", choices=("classification", "ner", "qa", "summarization"))
    parser.add_argument("--language", default="en", choices=("en", "zh"))
    parser.add_argument("--model", default="minilm", help="its tokenizer counts, where it is cached")
    requests = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for task in requests.task or ("classification", "ner", "qa", "summarization"):
            results.append(measure(task, requests.rows, requests.language, requests.model, Path(folder)))
            one = results[-1]
            print(f"{task:15} {one['rows']:,} rows: read {one['read']:.1f} s, read and checked {one['check']:.1f} s")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
