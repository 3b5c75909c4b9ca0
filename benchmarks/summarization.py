"""Seconds, memory and ROUGE of summarization as a person gets it: through the command line, with the defaults.

    python benchmarks/summarization.py --dialogsum DIR      # a folder with dev.jsonl and test.jsonl (Chen et al. 2021)
    python benchmarks/summarization.py                      # the embedded example, and the playground's first token

Run it alone on the machine: a second process that computes slows both.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OTHERS = ("untuned", "lead_1", "lead_3", "extract")


def train(runs: str, *arguments: object) -> dict:
    """One run through the command line; its `--json` object."""
    command = [sys.executable, "-m", "engine", "train", "--task", "summarization", *map(str, arguments)]
    done = subprocess.run(
        [*command, "--runs-dir", runs, "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def row(name: str, result: dict) -> str:
    report = json.loads(Path(result["run"], "report", "report.json").read_text(encoding="utf-8"))
    manifest = json.loads(Path(result["run"], "manifest.json").read_text(encoding="utf-8"))

    def written(value: float, ends: list[float]) -> str:
        return f"{value:.3f} ({ends[0]:.3f} to {ends[1]:.3f})"

    metric = report["headline"]["metric"]
    tuned = written(report["test"][metric], report["intervals"][metric])
    others = " | ".join(
        written(report["baselines"][one]["metrics"][metric], report["baselines"][one]["intervals"][metric])
        for one in OTHERS
    )
    memory = manifest["facts"]["peak_memory_mb"] / 1024
    return f"| {name} | {report['headline']['rows']} | {tuned} | {others} | {result['phases']['train']:.0f} | {result['seconds']:.0f} | {memory:.1f} |"


def first_token(run: str) -> float:
    """Seconds from the question to the first token, the model loaded, with the threads of the page."""
    import torch

    sys.path.insert(0, str(ROOT))
    from engine.inference.predictor import load_predictor

    torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))
    predictor = load_predictor(run)
    with Path(run, "data", "test.jsonl").open(encoding="utf-8") as file:
        documents = [json.loads(line)["inputs"]["document"] for line in file]
    waits = []
    for document in documents[:8]:
        started = time.perf_counter()
        stop = threading.Event()
        stream = predictor.stream(document, stop)
        next(stream)
        waits.append(time.perf_counter() - started)
        stream.close()
    return sorted(waits)[len(waits) // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogsum", type=Path, help="folder with dev.jsonl and test.jsonl")
    parser.add_argument("--only", help="run only the rows whose name contains this")
    given = parser.parse_args()
    names = {"help desk en, SmolLM2, LoRA, defaults": ["--example", "help-desk-summaries-en"]}
    if given.dialogsum:
        folder = given.dialogsum.absolute()
        names["dialogsum, SmolLM2, LoRA, defaults"] = [
            "--train", folder / "dev.jsonl", "--test", folder / "test.jsonl", "--set", "evaluation.max_rows=100",
        ]  # fmt: skip
    print(
        "| run | test rows | ROUGE-L (95 % interval) | untuned | lead-1 | lead-3 | extract | training, s | all, s | GB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as runs:
        last = None
        for name, arguments in names.items():
            if not given.only or given.only in name:
                last = train(runs, *arguments)
                print(row(name, last), flush=True)
        if last is not None:
            print(f"\nFirst token in the playground, model loaded, median of 8: {first_token(last['run']):.2f} s")


if __name__ == "__main__":
    main()
