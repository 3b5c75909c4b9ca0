"""Other trainers of text classifiers, each in an environment of its own, from the package index, with the same torch.

Knows how each is installed and run. What does not install, or does not run with what it installs, raises Absent and is named in the output.
"""

from __future__ import annotations

import json
import subprocess
import venv
from pathlib import Path
from typing import Any

TORCH = "torch==2.13.0"
INSTALL_SECONDS = 1200
# What a peer brings along for pictures is of a torch with CUDA and does not load beside this one.
WITHOUT = {"autotrain-advanced": "torchvision"}
# Each gets `asked` (folder, source, epochs, batch, rate, length, seed), `rows(name)` and `started`, and sets `training` and `answers`.
COMMON = """
import json, resource, sys, time
from importlib.metadata import version
started = time.perf_counter()
settings = json.loads(sys.argv[1])
def rows(name):
    with open(f"{requests['folder']}/{name}.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]
train, validation, test = map(rows, ("train", "validation", "test"))
names = sorted({row["label"] for row in train})
"""
END = """
right = [answer == row["label"] for answer, row in zip(answers, test, strict=True)]
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"training": training, "whole": time.perf_counter() - started, "right": right, "memory_mb": memory, "version": version(settings["peer"])}))
"""
SCRIPTS = {
    # Its contrastive pairs grow with the square of the rows; one epoch with 20 pairs a row is its documented use for larger tables.
    "setfit": """
from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments
model = SetFitModel.from_pretrained(settings["source"], labels=names)
args = TrainingArguments(batch_size=settings["batch"], num_epochs=1, num_iterations=20, seed=settings["seed"], report_to="none")
since = time.perf_counter()
Trainer(model=model, args=args, train_dataset=Dataset.from_list([{"text": r["text"], "label": r["label"]} for r in train])).train()
training = time.perf_counter() - since
answers = [str(answer) for answer in model.predict([row["text"] for row in test])]
""",
    "simpletransformers": """
import pandas, tempfile
from simpletransformers.classification import ClassificationModel
folder = tempfile.mkdtemp()
args = dict(num_train_epochs=round(settings["epochs"]), train_batch_size=settings["batch"], learning_rate=settings["rate"], max_seq_length=settings["length"],
            manual_seed=settings["seed"], output_dir=folder, overwrite_output_dir=True, save_model_every_epoch=False, save_steps=-1,
            use_multiprocessing=False, use_multiprocessing_for_evaluation=False, silent=True)
model = ClassificationModel("bert", settings["source"], num_labels=len(names), use_cuda=False, args=args)
table = pandas.DataFrame({"text": [r["text"] for r in train], "labels": [names.index(r["label"]) for r in train]})
since = time.perf_counter()
model.train_model(table)
training = time.perf_counter() - since
answers = [names[answer] for answer in model.predict([row["text"] for row in test])[0]]
""",
    "flair": """
import tempfile
from flair.data import Corpus, Sentence
from flair.datasets import FlairDatapointDataset
from flair.embeddings import TransformerDocumentEmbeddings
from flair.models import TextClassifier
from flair.trainers import ModelTrainer
def sentences(rows):
    return FlairDatapointDataset([Sentence(r["text"]).add_label("class", r["label"]) for r in rows])
corpus = Corpus(train=sentences(train), dev=sentences(validation), test=sentences(test))
model = TextClassifier(TransformerDocumentEmbeddings(settings["source"], fine_tune=True), label_type="class",
                       label_dictionary=corpus.make_label_dictionary("class"))
since = time.perf_counter()
ModelTrainer(model, corpus).fine_tune(tempfile.mkdtemp(), learning_rate=settings["rate"], mini_batch_size=settings["batch"],
                                      max_epochs=round(settings["epochs"]), main_evaluation_metric=("micro avg", "f1-score"))
training = time.perf_counter() - since
asks = [Sentence(row["text"]) for row in test]
model.predict(asks, mini_batch_size=64)
answers = [ask.get_label("class").value for ask in asks]
""",
    # Its jobs are what its server starts for a table; it trains as transformers' Trainer does by default, in fp32.
    "autotrain-advanced": """
import os, tempfile
import torch
from autotrain.trainers.text_classification.__main__ import train as run
from autotrain.trainers.text_classification.params import TextClassificationParams
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from transformers import AutoModelForSequenceClassification, AutoTokenizer
os.chdir(tempfile.mkdtemp())  # a project is a name, made where one stands
project = "project"
kinds = Features({"autotrain_text": Value("string"), "autotrain_label": ClassLabel(names=names)})
table = Dataset.from_list([{"autotrain_text": r["text"], "autotrain_label": r["label"]} for r in train], features=kinds)
DatasetDict({"train": table}).save_to_disk(project + "/autotrain-data")
config = TextClassificationParams(
    data_path=project + "/autotrain-data", project_name=project, model=settings["source"], lr=settings["rate"], epochs=round(settings["epochs"]),
    max_seq_length=settings["length"], batch_size=settings["batch"], seed=settings["seed"], text_column="autotrain_text", target_column="autotrain_label")
since = time.perf_counter()
run(config)
training = time.perf_counter() - since
tokenizer = AutoTokenizer.from_pretrained(project)
model = AutoModelForSequenceClassification.from_pretrained(project).eval()
answers = []
with torch.no_grad():
    for start in range(0, len(test), 64):
        texts = [row["text"] for row in test[start : start + 64]]
        given = tokenizer(texts, truncation=True, max_length=settings["length"], padding=True, return_tensors="pt")
        answers += [names[index] for index in model(**given).logits.argmax(dim=1).tolist()]
""",
}


class Absent(Exception):
    """The peer cannot be measured here; the message says why."""


def run(peer: str, environments: Path, requests: dict[str, Any]) -> dict[str, Any]:
    """Train and judge one peer on the rows of `asked`; its figures as `plain.py` gives them."""
    from jobs import accuracy

    from engine.models.catalog import resolve

    if peer not in SCRIPTS:
        raise Absent("not known here")
    python = environment(peer, environments)
    requests = {**requests, "peer": peer, "source": str(resolve(requests["model"]))}
    done = subprocess.run(
        [python, "-c", COMMON + SCRIPTS[peer] + END, json.dumps(requests)],
        check=False,
        capture_output=True,
        text=True,
        cwd=requests["folder"],
    )
    if done.returncode:
        raise Absent(f"installs, but does not run: {last_line(done.stderr)}")
    import numpy as np

    result = json.loads(done.stdout.splitlines()[-1])
    value, low, high = accuracy(np.array(result["right"]))
    # No validation of their own that could be timed alike: the end of training stands for the best score.
    return {**result, "value": value, "low": low, "high": high, "best": result["training"]}


def environment(peer: str, environments: Path) -> Path:
    """The Python of the peer's environment, made on first use."""
    folder = environments / peer
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", peer, TORCH]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise Absent(f"not installed within {INSTALL_SECONDS} s") from None
        if done.returncode:
            raise Absent(f"does not install: {last_line(done.stderr)}")
        if peer in WITHOUT:
            subprocess.run([str(python), "-m", "pip", "uninstall", "--quiet", "--yes", WITHOUT[peer]], check=True)
        (folder / "ready").touch()
    return python


def last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:160].replace("|", "/") if lines else "it says nothing"
