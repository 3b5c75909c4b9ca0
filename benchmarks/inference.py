"""How fast a tuned classifier answers, beside transformers' own pipeline and a plain loop, and whether the answers are the same.

    python benchmarks/inference.py --banking77 DIR     # a folder with train.csv and test.csv (Casanueva et al. 2020)
    python benchmarks/inference.py                     # the embedded rated sentences
    python benchmarks/inference.py --run RUN_DIR --banking77 DIR     # a run that is already there

Tunes MiniLM with the defaults, then asks every way in turn, several rounds over, in this one process: milliseconds for one
text of about 20 tokens (half of the calls are faster than p50, 95 % than p95), texts a second for many, and the share of test
rows with the same answer as fp32. Prints a table. Needs the machine for itself.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.core.text import Text
from engine.export.onnx import FILES, OnnxEncoder, export_model, quantise
from engine.inference.predictor import Predictor
from engine.inference.reader import Reader
from engine.inference.saved import Description, load_tuned
from engine.models.device import Device, choose_device, use_threads
from engine.run_directory.store import Run
from engine.tasks.classification.export import EXPORT as CLASSIFICATION
from engine.training.prepare import read_split

ROOT = Path(__file__).resolve().parents[1]
TOKENS = 20  # of the texts that are asked one by one
CALLS = 100  # of those, a round
SLOW_ROWS = 256  # of many, for what takes them one by one

Ask = Callable[[list[str]], list[str]]


def tune(runs: Path, banking77: Path | None) -> Path:
    """A run with the defaults."""
    data = ["--example", "rated-sentences"]
    if banking77:
        data = ["--train", str(banking77 / "train.csv"), "--test", str(banking77 / "test.csv")]
    done = subprocess.run(
        [sys.executable, "-m", "engine", "train", *data, "--runs-dir", str(runs), "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return runs / json.loads(done.stdout.splitlines()[-1])["run"]


def test_texts(run: Run, banking77: Path | None) -> list[str]:
    if banking77:
        with (banking77 / "test.csv").open(encoding="utf-8", newline="") as file:
            return [row["text"] for row in csv.DictReader(file)]
    return [example.inputs["text"] for example in read_split(run, "test")]


def ways_to_ask(model: Path, folder: Path) -> dict[str, Ask]:
    """Every way by its name; each gives the label of every text."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    plain = AutoModelForSequenceClassification.from_pretrained(model).eval()
    piped = pipeline("text-classification", model=plain, tokenizer=tokenizer, device=-1)

    def loop(texts: list[str]) -> list[str]:
        output: list[str] = []
        for start in range(0, len(texts), 32):
            batch = tokenizer(texts[start : start + 32], padding=True, truncation=True, return_tensors="pt")
            with torch.inference_mode():
                output += [plain.config.id2label[number] for number in plain(**batch).logits.argmax(-1).tolist()]
        return output

    def of(predictor: Predictor) -> Ask:
        return lambda texts: [answer["label"] for answer in predictor.predict(texts)]

    description = Description.load(model)
    fp32 = Predictor(model, Device("cpu", torch.float32, Text("", "")))
    export_model(load_tuned(model, description, "eager"), CLASSIFICATION.logits, folder / FILES["fp32"])
    quantise(folder / FILES["fp32"], folder / FILES["int8"])

    def onnx(name: str) -> Ask:
        predictor = Predictor(model, fp32.device)
        read: Reader = predictor._tuned
        read.model = OnnxEncoder(folder / FILES[name], torch.get_num_threads()).eval()
        return of(predictor)

    chosen = choose_device()
    return {
        "transformers pipeline": lambda texts: [answer["label"] for answer in piped(texts)],
        "transformers pipeline, batch_size=32": lambda texts: [a["label"] for a in piped(texts, batch_size=32)],
        "plain loop, 32 a batch, fp32": loop,
        "Tunebench, torch fp32": of(fp32),
        "Tunebench, torch bf16": of(Predictor(model, Device("cpu", torch.bfloat16, Text("", "")))),
        f"Tunebench, as the app asks ({chosen.precision} here)": of(Predictor(model, chosen)),
        "Tunebench, ONNX fp32": onnx("fp32"),
        "Tunebench, ONNX int8": onnx("int8"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--banking77", type=Path, help="folder with train.csv and test.csv")
    parser.add_argument("--run", type=Path, help="a finished classification run, instead of tuning one")
    parser.add_argument("--rows", type=int, default=2000, help="test rows for many texts and for agreement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="threads of PyTorch and ONNX Runtime; all cores when not given")
    given = parser.parse_args()
    banking77 = given.banking77.absolute() if given.banking77 else None
    with tempfile.TemporaryDirectory() as folder:
        run = Run(given.run.absolute() if given.run else tune(Path(folder), banking77))
        threads = use_threads(given.threads)
        model = run.path("model")
        texts = test_texts(run, banking77)[: given.rows]
        ways = ways_to_ask(model, Path(folder))
        tokenizer = AutoTokenizer.from_pretrained(model)
        short = sorted(texts, key=lambda text: abs(len(tokenizer(text)["input_ids"]) - TOKENS))[:CALLS]
        expected = ways["Tunebench, torch fp32"](texts)
        single: dict[str, list[float]] = {name: [] for name in ways}
        many: dict[str, list[float]] = {name: [] for name in ways}
        same: dict[str, float] = {}
        for number in range(given.rounds):
            for name, ask in ways.items():
                ask(short[:2])
                for text in short:
                    started = time.perf_counter()
                    ask([text])
                    single[name].append(1000 * (time.perf_counter() - started))
                # What is slow is timed on fewer of them, but for agreement once on all.
                rows = texts[:SLOW_ROWS] if name == "transformers pipeline" else texts
                started = time.perf_counter()
                output = ask(rows)
                many[name].append(len(rows) / (time.perf_counter() - started))
                if number == 0:
                    same[name] = sum(a == b for a, b in zip(output, expected, strict=False)) / len(rows)
    print(f"{len(texts)} test rows, {given.rounds} rounds, {threads} threads\n")
    print("| way | one text, p50 ms | p95 ms | many, texts/s | same answer as fp32 |")
    print("|---|---|---|---|---|")
    for name in ways:
        p50, p95 = statistics.median(single[name]), statistics.quantiles(single[name], n=20)[-1]
        print(f"| {name} | {p50:.1f} | {p95:.1f} | {statistics.median(many[name]):.0f} | {100 * same[name]:.2f} % |")


if __name__ == "__main__":
    main()
