"""Question answering side by side: Tunebench with its defaults, and plain transformers as its examples do it.

    python benchmarks/qa.py --xquad DIR               # DIR holds en.json of XQuAD (Artetxe et al. 2020): 240 paragraphs
    python benchmarks/qa.py --xquad DIR --language zh --model e5-small
    python benchmarks/qa.py --examples                # the embedded data sets, from command to report

The paragraphs are parted 80 to 20, so that no test question is about a text that was trained on. Plain transformers follows its
own `run_qa`: sequences padded to 384 tokens, a stride of 128, 12 a batch, AdamW, no warm-up, bf16 autocast (fp32 where the
processor only emulates bf16), as many epochs as
Tunebench took, once at Tunebench's learning rate and once at that script's. Both answer the same test questions, which are
scored by the same official definition. Run it alone on the machine: a second process that computes slows both.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
SPLIT_SEED = 7
LENGTH, STRIDE, BATCH, RATE, LONGEST = 384, 128, 12, 3e-5, 30  # run_qa's


def read_xquad(file: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Training and test questions, 80 to 20 by paragraph."""
    paragraphs = [p for article in json.loads(file.read_text("utf-8"))["data"] for p in article["paragraphs"]]
    random.Random(SPLIT_SEED).shuffle(paragraphs)
    cut = round(0.8 * len(paragraphs))

    def rows(some: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {
                "id": question["id"],
                "context": paragraph["context"],
                "question": question["question"],
                "answers": {
                    "text": [answer["text"] for answer in question["answers"]],
                    "answer_start": [answer["answer_start"] for answer in question["answers"]],
                },
            }
            for paragraph in some
            for question in paragraph["qas"]
        ]

    return rows(paragraphs[:cut]), rows(paragraphs[cut:])


def write(rows: list[dict[str, Any]], path: Path) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def tunebench(runs: Path, *arguments: object) -> dict[str, Any]:
    """One run through the command line; its `--json` object."""
    command = [sys.executable, "-m", "engine", "train", "--task", "qa", *map(str, arguments)]
    done = subprocess.run(
        [*command, "--runs-dir", str(runs), "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def plain(folder: Path, model: str, epochs: float, rate: float) -> dict[str, Any]:
    """Plain transformers in a process of its own, like Tunebench's worker: {"seconds", "train_seconds", "answers"}."""
    command = [sys.executable, __file__, "--plain", folder, "--model", model, "--epochs", epochs, "--rate", rate]
    started = time.perf_counter()
    done = subprocess.run([*map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return {**json.loads(done.stdout.splitlines()[-1]), "seconds": time.perf_counter() - started}


def run_plain(folder: Path, model_name: str, epochs: float, rate: float) -> None:
    """Train and answer with transformers' own pieces alone; prints one line of JSON."""
    import numpy as np
    import torch
    from datasets import Dataset
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer, Trainer, TrainingArguments, set_seed
    from transformers import default_data_collator as stack

    from engine.models.catalog import resolve
    from engine.models.device import choose_device

    set_seed(42)
    device = choose_device("cpu")
    source = resolve(model_name)
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = AutoModelForQuestionAnswering.from_pretrained(source, dtype=torch.float32)
    train, test = (
        [json.loads(line) for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines()]
        for name in ("train", "test")
    )

    def tokens(rows: dict[str, list[Any]]) -> Any:
        return tokenizer(
            rows["question"],
            rows["context"],
            truncation="only_second",
            max_length=LENGTH,
            stride=STRIDE,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            padding="max_length",
        )

    def training_features(rows: dict[str, list[Any]]) -> Any:
        encoded = tokens(rows)
        owners, offsets = encoded.pop("overflow_to_sample_mapping"), encoded.pop("offset_mapping")
        starts, ends = [], []
        for window, places in enumerate(offsets):
            sides, answers = encoded.sequence_ids(window), rows["answers"][owners[window]]
            first, last = sides.index(1), len(sides) - 1 - sides[::-1].index(1)
            begin = answers["answer_start"][0]
            end = begin + len(answers["text"][0])
            if places[first][0] > begin or places[last][1] < end:
                starts.append(0)
                ends.append(0)
                continue
            while first < len(places) and places[first][0] <= begin:
                first += 1
            while places[last][1] >= end:
                last -= 1
            starts.append(first - 1)
            ends.append(last + 1)
        encoded["start_positions"], encoded["end_positions"] = starts, ends
        return encoded

    columns = ["id", "context", "question", "answers"]
    encoded = Dataset.from_list(train).map(training_features, batched=True, remove_columns=columns)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=scratch,
                num_train_epochs=epochs,
                per_device_train_batch_size=BATCH,
                learning_rate=rate,
                bf16=device.dtype == torch.bfloat16,
                use_cpu=True,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                logging_strategy="no",
            ),
            train_dataset=encoded,
            data_collator=stack,
        )
        started = time.perf_counter()
        trainer.train()
        train_seconds = time.perf_counter() - started
    answers: dict[str, str] = {}
    model.eval()
    for row in test:
        windows = tokens({"question": [row["question"]], "context": [row["context"]]})
        inputs = {
            name: torch.tensor(windows[name])
            for name in windows
            if name in ("input_ids", "attention_mask", "token_type_ids")
        }
        with torch.inference_mode(), device.autocast():
            outputs = model(**inputs)
        best, answers[row["id"]] = -np.inf, ""
        for window, places in enumerate(windows["offset_mapping"]):
            sides = windows.sequence_ids(window)
            start, end = outputs.start_logits[window].float().numpy(), outputs.end_logits[window].float().numpy()
            for first in np.argsort(start)[-1:-21:-1]:
                for last in np.argsort(end)[-1:-21:-1]:
                    fits = sides[first] == sides[last] == 1 and first <= last < first + LONGEST
                    if fits and start[first] + end[last] > best:
                        best = start[first] + end[last]
                        answers[row["id"]] = row["context"][places[first][0] : places[last][1]]
    print(json.dumps({"train_seconds": train_seconds, "answers": answers}))


def scored(test: list[dict[str, Any]], answers: dict[str, str]) -> str:
    """F1 and exact match with their intervals, as cells of a table."""
    from engine.evaluation.intervals import bootstrap
    from engine.schema import Example
    from engine.tasks.qa.counts import metrics_from, statistics

    examples = [
        Example(
            number,
            {"context": row["context"], "question": row["question"]},
            tuple(
                {"text": text, "start": start}
                for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True)
            ),
        )
        for number, row in enumerate(test)
    ]
    intervals = bootstrap(statistics(examples, [answers[row["id"]] for row in test]), metrics_from)
    return " | ".join(
        f"{intervals[name].value:.3f} ({intervals[name].low:.3f} to {intervals[name].high:.3f})"
        for name in ("f1", "exact_match")
    )


def side_by_side(folder: Path, train: list[dict[str, Any]], test: list[dict[str, Any]], model: str) -> None:
    write(train, folder / "train.jsonl")
    write(test, folder / "test.jsonl")
    print(f"{len(train)} questions to train on, {len(test)} to test on, {model}\n")
    print("| system | F1 (95 % interval) | exact match (95 % interval) | training, s | all, s |")
    print("|---|---|---|---|---|", flush=True)
    files = ["--train", folder / "train.jsonl", "--test", folder / "test.jsonl"]
    result = tunebench(folder / "runs", *files, "--model", model)
    run = Path(result["run"])
    facts = json.loads((run / "report" / "report.json").read_text("utf-8"))["run"]
    predictions = (run / "report" / "predictions.jsonl").read_text("utf-8").splitlines()
    answers = {(row := json.loads(line))["inputs"]["id"]: row["prediction"] for line in predictions}
    described = f"Tunebench, defaults ({facts['epochs']:g} epochs, rate {facts['learning_rate']:g})"
    print(
        f"| {described} | {scored(test, answers)} | {result['phases']['train']:.0f} | {result['seconds']:.0f} |",
        flush=True,
    )
    for rate in (facts["learning_rate"], RATE):
        other = plain(folder, model, facts["epochs"], rate)
        name = f"plain transformers ({facts['epochs']:g} epochs, rate {rate:g})"
        print(
            f"| {name} | {scored(test, other['answers'])} | {other['train_seconds']:.0f} | {other['seconds']:.0f} |",
            flush=True,
        )


def embedded(folder: Path) -> None:
    print("| example | F1 (95 % interval) | exact match | sentence | words | untuned | training, s | all, s |")
    print("|---|---|---|---|---|---|---|---|")
    for example in ("help-desk-questions-en", "help-desk-questions-zh"):
        result = tunebench(folder / "runs", "--example", example)
        headline, others = result["headline"], result["baselines"]
        simple = " | ".join(f"{others[name]['f1']:.3f}" for name in ("sentence", "window", "untuned"))
        print(
            f"| {example} | {headline['value']:.3f} ({headline['low']:.3f} to {headline['high']:.3f}) "
            f"| {result['test']['exact_match']:.3f} | {simple} | {result['phases']['train']:.0f} | {result['seconds']:.0f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xquad", type=Path, help="folder with XQuAD's JSON files")
    parser.add_argument("--language", default="en")
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--examples", action="store_true", help="time the embedded data sets")
    parser.add_argument("--plain", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--epochs", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.plain:
        run_plain(given.plain, given.model, given.epochs, given.rate)
        return
    if not given.xquad and not given.examples:
        parser.error("give --xquad DIR or --examples")
    with tempfile.TemporaryDirectory() as scratch:
        if given.xquad:
            train, test = read_xquad(given.xquad.absolute() / f"{given.language}.json")
            side_by_side(Path(scratch), train, test, given.model)
        if given.examples:
            embedded(Path(scratch))


if __name__ == "__main__":
    main()
