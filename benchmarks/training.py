"""Training side by side: the same rows, model, epochs, batch and rate, by Tunebench and by what people use today.

    python benchmarks/training.py --banking77 DIR --wnut17 DIR          # every case
    python benchmarks/training.py --only medium --rows 2000 --seeds 1   # minutes on a slow machine
    python benchmarks/training.py --only medium --off --skip textbook,trainer,trainer-fast    # fast paths against plain
    python benchmarks/training.py --only short --banking77 DIR --peers setfit,simpletransformers,flair,autotrain-advanced
    python benchmarks/training.py --bert-base --only bert-base --batch 32 --epochs 1    # for a GPU: 128 and 512 tokens

Tunebench goes first in every round and chooses epochs, batch and learning rate, and all others take them: plain PyTorch, transformers'
Trainer with its defaults, and Trainer with bf16 and length grouping (`plain.py`); peers in environments of their own (`peers.py`).
With `--off` Tunebench computes once more in every round, with `training.optimizations: off`: the same mathematics without its fast
paths. Every run is a process of its own, one after the other, a round for every seed. What is shown:

- examples/s: of training alone, validation left out; *whole* is from the start of the process to the score, for Tunebench to its
  report, which has baselines and the untuned model in it
- best, s: from the start to the best score on the validation rows, as seen after each epoch (Tunebench: each of its evaluations)
- peak: products of tokens that are no padding (6 a weight and token, 4 where pretrained weights are frozen; attention left out),
  as a share of this machine's fastest fp32 (fp32 runs) or bf16 matrix product, measured by the same call

Long texts are rated sentences of one class joined to some 450 tokens: honest in their length, easy to tell apart. The BERT-base of
`--bert-base` has that model's sizes and random weights: it is there for its speed alone. Where a processor only emulates bf16, all
compute in fp32. Run it alone on the machine: a second process that computes slows both.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

import peers  # noqa: E402

Rows = list[dict[str, Any]]
SPLITS = ("train", "validation", "test")
RECIPES = {
    "textbook": "textbook loop, fp32, padded",
    "trainer": "Trainer, its defaults",
    "trainer-fast": "Trainer, bf16, length grouping",
}
FP32 = ("textbook", "trainer")
JOINED_WORDS = 330  # some 450 tokens of MiniLM
BERT_BASE_ROWS = 4000


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison. `rows` reads train and test rows, `length` is what the textbook pads to and where texts are cut."""

    name: str
    task: str
    model: str
    length: int
    rows: Callable[[], tuple[Rows, Rows]]
    method: str = "full"


def main() -> None:
    given = arguments()
    print(json.dumps({"threads": threads(), **(limits := child([HERE / "peaks.py"]))}), "\n")
    print(
        "| case | run | seed | examples/s | training, s | whole, s | best, s | score (95 % interval) | memory, MB | peak |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for case in cases(given):
        if given.only and given.only not in case.name:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            write(case, folder, given.rows, given.test_rows)
            for seed in range(given.seeds):
                compare(case, folder, seed, given, limits)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--banking77", type=Path, help="folder with train.csv and test.csv")
    parser.add_argument("--wnut17", type=Path, help="folder with train.conll and test.conll")
    parser.add_argument("--bert-base", action="store_true", help="two cases more, for the speed of a GPU")
    parser.add_argument("--only", help="only the cases whose name contains this")
    parser.add_argument("--skip", default="", help=f"recipes to leave out, of {', '.join(RECIPES)}")
    parser.add_argument("--rows", type=int, help="at most this many training rows")
    parser.add_argument("--test-rows", type=int, help="at most this many test rows")
    parser.add_argument("--epochs", type=float, help="Tunebench's choice when not given")
    parser.add_argument("--batch", type=int, help="Tunebench's choice when not given")
    parser.add_argument("--off", action="store_true", help="also Tunebench with training.optimizations: off")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--peers", default="", help=f"of {', '.join(peers.SCRIPTS)}; for the classification cases")
    parser.add_argument("--peers-dir", type=Path, default=Path(tempfile.gettempdir()) / "tunebench-peers")
    return parser.parse_args()


def cases(given: argparse.Namespace) -> list[Case]:
    results = []
    if given.banking77:
        results.append(Case("short: banking77", "classification", "minilm", 128, lambda: banking77(given.banking77)))
    results.append(Case("medium: rated sentences", "classification", "minilm", 128, rated_sentences))
    results.append(Case("long: joined rated sentences", "classification", "minilm", 512, joined_sentences))
    if given.wnut17:
        results.append(Case("entities: wnut17", "ner", "minilm", 128, lambda: wnut17(given.wnut17)))
    if given.bert_base:
        model = str(bert_base(Path(tempfile.gettempdir()) / "tunebench-bert-base"))
        for length in (128, 512):
            name = f"bert-base: {length} tokens"
            results.append(Case(name, "classification", model, length, lambda length=length: filled(length)))
    results.append(Case("lora: help articles", "summarization", "smollm2", 448, help_articles, "lora"))
    return results


def compare(case: Case, folder: Path, seed: int, given: argparse.Namespace, limits: dict[str, float]) -> None:
    """One round: Tunebench, the plain recipes, the peers."""
    ours = tunebench(case, folder, seed, given)
    products = 2 * ours["weights"] * (3 if case.method == "full" else 2)

    limit = limits["bf16" if ours["dtype"] == "bf16" else "fp32"]

    def tell(name: str, result: dict[str, Any], limit: float) -> None:
        speed = ours["rows"] * ours["epochs"] / result["training"] if result["training"] else None
        each = ours["tokens"] / ours["rows"]
        share = f"{speed * each * products / limit:.0%}" if speed else ""
        memory = f"{result['memory_mb']:.0f}" if result.get("memory_mb") else ""
        print(
            f"| {case.name} | {name} | {seed} | {speed or 0:.1f} | {result['training']:.1f} | {result['whole']:.1f} "
            f"| {result['best']:.1f} | {result['value']:.4f} ({result['low']:.3f} to {result['high']:.3f}) | {memory} | {share} |",
            flush=True,
        )

    requests = {
        "task": case.task,
        "model": case.model,
        "folder": str(folder),
        "length": case.length,
        "seed": seed,
        **{key: ours[key] for key in ("epochs", "batch", "rate")},
    }
    tell(
        f"Tunebench ({ours['epochs']:g} epochs, batch {ours['batch']}, rate {ours['rate']:g})",
        ours,
        limit,
    )
    if given.off:
        tell("Tunebench, optimizations off", tunebench(case, folder, seed, given, "off"), limit)
    for recipe, name in RECIPES.items():
        if recipe not in given.skip.split(","):
            result = child([HERE / "plain.py", json.dumps({**requests, "recipe": recipe})])
            tell(name, result, limits["fp32" if recipe in FP32 else "bf16"])
    if case.task != "classification":
        return
    for peer in filter(None, given.peers.split(",")):
        try:
            result = peers.run(peer, given.peers_dir, requests)
        except peers.Absent as reason:
            print(f"| {case.name} | {peer}: {reason} | {seed} | | | | | | | |", flush=True)
        else:
            tell(f"{peer} {result['version']}", result, limits["fp32"])


def tunebench(
    case: Case, folder: Path, seed: int, given: argparse.Namespace, optimizations: str = "auto"
) -> dict[str, Any]:
    """One run through the command line, all that is not the same for everybody left to the defaults."""
    files = [part for name in SPLITS for part in (f"--{name}", folder / f"{name}.jsonl")]
    chosen = ["--epochs", given.epochs] if given.epochs else []
    chosen += ["--batch-size", given.batch] if given.batch else []
    chosen += ["--set", f"training.optimizations={optimizations}"]
    began = time.time()
    done = child(
        ["-m", "engine", "train", "--task", case.task, "--model", case.model, "--method", case.method]
        + ["--max-length", case.length, "--seed", seed, *files, *chosen, "--runs-dir", folder / "runs", "--json"]
    )
    whole = time.time() - began
    run = Path(done["run"])
    events = [json.loads(line) for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    evaluations = [event for event in events if event["type"] == "evaluation"]
    facts = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["facts"]
    best = [event for event in evaluations if event["best"]][-1]
    headline = {key: done["headline"][key] for key in ("value", "low", "high")}
    if case.task == "classification":
        from jobs import accuracy

        lines = (run / "report" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
        headline = dict(zip(headline, accuracy(np.array([json.loads(line)["correct"] for line in lines])), strict=True))
    elif case.task == "summarization":
        # The loss of a summary's token on the same rows, as the others are judged.
        headline = dict.fromkeys(headline, -best["loss"])
    return {
        **headline,
        "training": done["phases"]["train"] - sum(event["seconds"] for event in evaluations),
        "whole": whole,
        "best": best["time"] - began,
        "memory_mb": facts["peak_memory_mb"],
        "epochs": facts["epochs"],
        "batch": facts["batch_size"],
        "rate": facts["learning_rate"],
        "dtype": facts["dtype"],
        **size_of(case, folder),
    }


def size_of(case: Case, folder: Path) -> dict[str, float]:
    """Rows, their tokens without padding, and the weights of a model's layers, that every one of them is multiplied with."""
    return child(
        [
            HERE / "jobs.py",
            json.dumps({"task": case.task, "model": case.model, "folder": str(folder), "length": case.length}),
        ]
    )


def child(arguments: list[object]) -> dict[str, Any]:
    """The last line that a Python process writes, a JSON object."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:300]}\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)))


def write(case: Case, folder: Path, most: int | None, most_test: int | None) -> None:
    """The case's rows as three files: a tenth of the training rows validate. Nobody is asked about a class that few rows left out."""
    train, test = case.rows()
    random.Random(42).shuffle(train)
    random.Random(42).shuffle(test)
    train, test = train[:most], test[:most_test]
    cut = max(1, len(train) // 10)
    train, validation = train[cut:], train[:cut]
    if case.task == "summarization":
        # Judged by the loss, which Tunebench tells of the validation rows: those are the test rows, and choose nothing in one epoch.
        train, validation = [*train, *validation], test
    if case.task == "classification":
        learned = {row["label"] for row in train}
        validation, test = ([row for row in rows if row["label"] in learned] for rows in (validation, test))
    for name, rows in zip(SPLITS, (train, validation, test), strict=True):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")


def banking77(folder: Path) -> tuple[Rows, Rows]:
    def read(name: str) -> Rows:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return [{"text": row["text"], "label": row["category"]} for row in csv.DictReader(file)]

    return read("train"), read("test")


def rated_sentences() -> tuple[Rows, Rows]:
    from engine.assets.examples import example

    with example("rated-sentences").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    random.Random(7).shuffle(rows)
    return rows[len(rows) // 5 :], rows[: len(rows) // 5]


def bert_base(folder: Path) -> Path:
    """A model of BERT-base's sizes (Devlin et al. 2019) with random weights and MiniLM's vocabulary, made once."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    from engine.models.catalog import resolve

    if not (folder / "model.safetensors").exists():
        tokenizer = AutoTokenizer.from_pretrained(resolve("minilm"))
        torch.manual_seed(0)
        BertModel(BertConfig(vocab_size=len(tokenizer))).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def filled(length: int) -> tuple[Rows, Rows]:
    """Rows of at least `length` tokens, cut there by everybody: words drawn from the rated sentences."""
    sentences, _ = rated_sentences()
    words = [word for row in sentences for word in row["text"].split()]
    chance = random.Random(7)
    rows = [
        {"text": " ".join(chance.choices(words, k=length)), "label": chance.choice(("a", "b"))}
        for _ in range(BERT_BASE_ROWS)
    ]
    return rows[400:], rows[:400]


def joined_sentences() -> tuple[Rows, Rows]:
    def joined(rows: Rows) -> Rows:
        results: Rows = []
        for label in sorted({row["label"] for row in rows}):
            words: list[str] = []
            for row in rows:
                if row["label"] == label:
                    words += row["text"].split()
                    if len(words) >= JOINED_WORDS:
                        results.append({"text": " ".join(words), "label": label})
                        words = []
        return results

    train, test = rated_sentences()
    return joined(train), joined(test)


def wnut17(folder: Path) -> tuple[Rows, Rows]:
    from ner import sentences

    def read(name: str) -> Rows:
        return [{"tokens": words, "tags": tags} for words, tags in sentences(folder / f"{name}.conll")]

    return read("train"), read("test")


def help_articles() -> tuple[Rows, Rows]:
    from engine.assets.examples import example

    with example("help-desk-summaries-en").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    random.Random(7).shuffle(rows)
    return rows[len(rows) // 5 :], rows[: len(rows) // 5]


if __name__ == "__main__":
    main()
