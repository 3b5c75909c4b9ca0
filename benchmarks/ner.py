"""Named entities as a person gets them, through the command line with the defaults, beside plain transformers.

    python benchmarks/ner.py --wnut17 DIR      # a folder with train.conll, dev.conll, test.conll (Derczynski et al. 2017)
    python benchmarks/ner.py                   # the embedded data sets alone

Plain transformers is the textbook's token classification: Trainer with bf16 autocast, learning rate 5e-5, its own defaults for
all else, the first token of each word labelled, as many epochs as Tunebench took. Where the processor only emulates bf16, a
hundred times slower than fp32, both compute in fp32. Each run is a process of its own; seconds count from its start to the
scores on the test rows. Run it alone on the machine: a second process that computes slows both.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PLAIN_BATCHES = (16, 32)
HEAD = "| run | epochs | entity F1 (95 % interval) | memory | untuned | training, s | all, s |\n|---|---|---|---|---|---|---|"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wnut17", type=Path, help="folder with train.conll, dev.conll and test.conll")
    parser.add_argument("--only", help="run only the rows whose name contains this")
    parser.add_argument("--plain", nargs=3, metavar=("DIR", "EPOCHS", "BATCH"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if given.plain:
        folder, epochs, batch = given.plain
        print(json.dumps(plain(Path(folder), float(epochs), int(batch))))
        return
    print(HEAD)
    if given.wnut17:
        folder = given.wnut17.absolute()
        files = [f"--{split}={folder / name}.conll" for split, name in SPLITS.items()]
        # The model is named because plain transformers takes the same.
        result = tunebench(given.only, "wnut17, MiniLM, defaults", ["--model", "minilm", *files])
        if result is not None:
            for batch in PLAIN_BATCHES:
                beside = child([__file__, "--plain", folder, result["epochs"], batch])
                show(f"wnut17, MiniLM, plain transformers, batch {batch}", beside)
        tunebench(given.only, "wnut17, MiniLM, LoRA", ["--model", "minilm", "--method", "lora", *files])
    examples = {
        "People's Daily, e5-small, 1,000 training rows": ["--example", "peoples-daily-ner", "--max-train-rows", 1000],
        "help desk en, defaults": ["--example", "help-desk-entities-en"],
        "help desk zh, defaults": ["--example", "help-desk-entities-zh"],
        "smart home en, defaults": ["--example", "smart-home-slots-en"],
        "smart home zh, defaults": ["--example", "smart-home-slots-zh"],
        "People's Daily, defaults (a sample)": ["--example", "peoples-daily-ner"],
    }
    for name, arguments in examples.items():
        tunebench(given.only, name, arguments)


SPLITS = {"train": "train", "validation": "dev", "test": "test"}


def tunebench(only: str | None, name: str, arguments: list[object]) -> dict[str, Any] | None:
    """One run through the command line, shown as a row; None where it was not asked for."""
    if only and only not in name:
        return None
    with tempfile.TemporaryDirectory() as runs:
        done = child(["-m", "engine", "train", "--task", "ner", *arguments, "--runs-dir", runs, "--json"])
        facts = json.loads(next(Path(runs).glob("*/manifest.json")).read_text(encoding="utf-8"))["facts"]
    baselines = done["baselines"]
    result = {
        **{key: done["headline"][key] for key in ("value", "low", "high")},
        "epochs": facts["epochs"],
        "training": done["phases"]["train"],
        "seconds": done["seconds"],
        "memory": baselines["lexicon"]["f1"],
        "untuned": baselines["untuned"]["f1"],
    }
    show(name, result)
    return result


def child(arguments: list[object]) -> dict[str, Any]:
    """The last line that a Python process writes, a JSON object."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def show(name: str, result: dict[str, Any]) -> None:
    others = [f"{result[key]:.3f}" if key in result else "" for key in ("memory", "untuned")]
    interval = f"{result['value']:.4f} ({result['low']:.3f} to {result['high']:.3f})"
    print(
        f"| {name} | {result['epochs']:g} | {interval} | {' | '.join(others)} | {result['training']:.0f} | {result['seconds']:.0f} |",
        flush=True,
    )


def plain(folder: Path, epochs: float, batch: int) -> dict[str, Any]:
    """Token classification as the textbook does it, on the same files and with the same model. Every process starts here."""
    started = time.perf_counter()
    import torch
    from datasets import Dataset
    from transformers import (
        AutoModelForTokenClassification,
        AutoTokenizer,
        DataCollatorForTokenClassification,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    from engine.evaluation.intervals import bootstrap
    from engine.models.catalog import resolve
    from engine.models.device import choose_device
    from engine.tasks.ner.counts import metrics_from_counts, statistics

    set_seed(42)
    source = resolve("minilm")
    tokenizer = AutoTokenizer.from_pretrained(source)
    train, test = (sentences(folder / f"{name}.conll") for name in ("train", "test"))
    names = sorted({tag for _, tags in train for tag in tags})
    number = {name: index for index, name in enumerate(names)}

    def encoded(rows: list[tuple[list[str], list[str]]]) -> Dataset:
        features = []
        for words, tags in rows:
            results = tokenizer(words, is_split_into_words=True, truncation=True)
            owners = results.word_ids()
            first = [
                owner is not None and owner != before for owner, before in zip(owners, [None, *owners], strict=False)
            ]
            labels = [number.get(tags[owner], 0) if new else -100 for owner, new in zip(owners, first, strict=True)]
            features.append(
                {"input_ids": results["input_ids"], "attention_mask": results["attention_mask"], "labels": labels}
            )
        return Dataset.from_list(features)

    model = AutoModelForTokenClassification.from_pretrained(source, num_labels=len(names), dtype=torch.float32)
    with tempfile.TemporaryDirectory() as output:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output,
                num_train_epochs=epochs,
                per_device_train_batch_size=batch,
                learning_rate=5e-5,
                bf16=choose_device("cpu").dtype == torch.bfloat16,
                use_cpu=True,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                seed=42,
            ),
            train_dataset=encoded(train),
            data_collator=DataCollatorForTokenClassification(tokenizer),
        )
        since = time.perf_counter()
        trainer.train()
        training = time.perf_counter() - since
        text = trainer.predict(encoded(test))
    answers = [
        [names[tag] for tag, label in zip(row, labels, strict=True) if label != -100]
        for row, labels in zip(text.predictions.argmax(-1), text.label_ids, strict=True)
    ]
    gold = [entities(tags) for _, tags in test]
    given = [entities(tags[: len(words)]) for tags, (words, _) in zip(answers, test, strict=True)]
    types = sorted({span["label"] for spans in (*gold, *given) for span in spans})
    score = bootstrap(statistics(gold, given, types), metrics_from_counts(len(types)), 1000, 0.95, 42)["f1"]
    return {
        "value": score.value,
        "low": score.low,
        "high": score.high,
        "epochs": epochs,
        "training": training,
        "seconds": time.perf_counter() - started,
    }


def sentences(path: Path) -> list[tuple[list[str], list[str]]]:
    """Words and tags of a column file."""
    results: list[tuple[list[str], list[str]]] = []
    pairs: list[list[str]] = []
    for line in [*path.read_text(encoding="utf-8").split("\n"), ""]:
        if line.strip():
            pairs.append(line.split("\t"))
        elif pairs:
            words, tags = zip(*pairs, strict=True)
            results.append((list(words), list(tags)))
            pairs = []
    return results


def entities(tags: list[str]) -> list[dict[str, Any]]:
    """BIO tags as spans of words, read strictly."""
    spans: list[dict[str, Any]] = []
    for position, tag in enumerate(tags):
        letter, _, label = tag.partition("-")
        if letter == "B":
            spans.append({"start": position, "end": position + 1, "label": label})
        elif letter == "I" and spans and spans[-1]["end"] == position and spans[-1]["label"] == label:
            spans[-1]["end"] = position + 1
    return spans


if __name__ == "__main__":
    main()
