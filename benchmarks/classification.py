"""Seconds and scores of classification as a person gets them: through the command line, with the defaults.

    python benchmarks/classification.py --banking77 DIR      # a folder with train.csv and test.csv (Casanueva et al. 2020)
    python benchmarks/classification.py                      # the embedded data sets alone

Run it alone on the machine: a second process that computes slows both.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def train(*arguments: object) -> dict:
    """One run through the command line; its `--json` object."""
    with tempfile.TemporaryDirectory() as runs:
        done = subprocess.run(
            [sys.executable, "-m", "engine", "train", *map(str, arguments), "--runs-dir", runs, "--json"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return json.loads(done.stdout.splitlines()[-1])


def row(name: str, result: dict) -> str:
    headline, baselines = result["headline"], result["baselines"]
    others = " | ".join(f"{baselines[which]['accuracy']:.3f}" for which in ("majority", "tfidf_logreg", "untuned"))
    interval = f"{headline['value']:.4f} ({headline['low']:.3f} to {headline['high']:.3f})"
    return f"| {name} | {interval} | {others} | {result['phases']['train']:.0f} | {result['seconds']:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--banking77", type=Path, help="folder with train.csv and test.csv")
    parser.add_argument("--only", help="run only the rows whose name contains this")
    given = parser.parse_args()
    runs: dict[str, list[object]] = {
        "rated sentences, MiniLM, defaults": ["--example", "rated-sentences"],
        "Chinese reviews, e5-small, defaults": ["--example", "chinese-reviews", "--model", "e5-small"],
        "help desk en, MiniLM, defaults": ["--example", "help-desk-en"],
        "help desk zh, e5-small, defaults": ["--example", "help-desk-zh", "--model", "e5-small"],
    }
    if given.banking77:
        files = ["--train", given.banking77.absolute() / "train.csv", "--test", given.banking77.absolute() / "test.csv"]
        runs |= {
            "banking77, MiniLM, defaults": files,
            "banking77, MiniLM, LoRA": [*files, "--method", "lora"],
            "banking77, MiniLM, head only": [*files, "--method", "head"],
        }
    print("| run | accuracy (95 % interval) | majority | keywords | untuned | training, s | all, s |")
    print("|---|---|---|---|---|---|---|")
    for name, arguments in runs.items():
        if not given.only or given.only in name:
            print(row(name, train(*arguments)), flush=True)


if __name__ == "__main__":
    main()
