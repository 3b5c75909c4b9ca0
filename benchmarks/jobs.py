"""What plain transformers is given: a model, encoded rows, and how good its answers are.

A folder holds train, validation and test as .jsonl; columns are `text` and `label`, `tokens` and `tags`, or `document` and `summary`.
Models are taken as they come: dropout, attention and all. Does not know how anything is trained.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from engine.evaluation.intervals import bootstrap  # noqa: E402
from engine.models.catalog import resolve  # noqa: E402

Rows = list[dict[str, Any]]
Score = tuple[float, float, float]  # value, and its 95 % interval
IGNORED = -100
EVALUATION_BATCH = 64


@dataclass(slots=True)
class Job:
    """`pad` makes a batch of rows, to a length where one is given; `quality` judges rows under a context for the number format."""

    model: Any
    train: Rows
    validation: Rows
    test: Rows
    pad: Callable[..., dict[str, torch.Tensor]]
    quality: Callable[[Any, Rows, Callable[[], Any]], Score]


def job_for(requests: dict[str, Any]) -> Job:
    """The job that `asked` describes: `task`, `folder`, `model`, `length`."""
    return {"classification": classification, "ner": entities, "summarization": writing}[requests["task"]](requests)


def splits(folder: str) -> list[Rows]:
    paths = [Path(folder) / f"{name}.jsonl" for name in ("train", "validation", "test")]
    return [[json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] for path in paths]


def padding(tokenizer: Any) -> Callable[..., dict[str, torch.Tensor]]:
    def pad(rows: Rows, length: int | None = None) -> dict[str, torch.Tensor]:
        width = length or max(len(row["input_ids"]) for row in rows)
        batch = {
            name: torch.tensor([row[name] + [fill] * (width - len(row[name])) for row in rows])
            for name, fill in (("input_ids", tokenizer.pad_token_id), ("attention_mask", 0))
        }
        labels = [row["labels"] for row in rows]
        if isinstance(labels[0], list):
            labels = [each + [IGNORED] * (width - len(each)) for each in labels]
        return {**batch, "labels": torch.tensor(labels)}

    return pad


def answers(model: Any, rows: Rows, pad: Callable[..., Any], autocast: Callable[[], Any]) -> list[np.ndarray]:
    """The most likely label of every row, or of each of its tokens."""
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]["input_ids"]))
    result: list[np.ndarray] = [np.empty(0)] * len(rows)
    model.eval()
    with torch.inference_mode(), autocast():
        for start in range(0, len(order), EVALUATION_BATCH):
            chosen = order[start : start + EVALUATION_BATCH]
            batch = pad([rows[index] for index in chosen])
            batch.pop("labels")
            batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
            for index, answer in zip(chosen, model(**batch).logits.argmax(-1).cpu().numpy(), strict=True):
                result[index] = answer
    return result


def classification(requests: dict[str, Any]) -> Job:
    """Texts with one label each, judged by accuracy."""
    source, data = resolve(requests["model"]), splits(requests["folder"])
    tokenizer = AutoTokenizer.from_pretrained(source)
    names = {name: number for number, name in enumerate(sorted({row["label"] for row in data[0]}))}
    pad = padding(tokenizer)

    def encoded(rows: Rows) -> Rows:
        result = tokenizer([row["text"] for row in rows], truncation=True, max_length=requests["length"])
        triples = zip(result["input_ids"], result["attention_mask"], rows, strict=True)
        return [{"input_ids": i, "attention_mask": m, "labels": names[row["label"]]} for i, m, row in triples]

    def quality(model: Any, rows: Rows, autocast: Callable[[], Any]) -> Score:
        right = np.array(answers(model, rows, pad, autocast)) == np.array([row["labels"] for row in rows])
        return accuracy(right)

    model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=len(names), dtype=torch.float32)
    return Job(model, *map(encoded, data), pad, quality)


def accuracy(right: np.ndarray) -> Score:
    """The share of right answers with its bootstrap interval."""
    counts = np.stack([right, np.ones_like(right)], axis=1).astype(float)
    result = bootstrap(counts, lambda sums: {"accuracy": sums[..., 0] / sums[..., 1]})["accuracy"]
    return result.value, result.low, result.high


def entities(requests: dict[str, Any]) -> Job:
    """Words with BIO tags, the first token of each word labelled; judged by entity F1, read strictly."""
    from ner import entities as spans_of

    from engine.tasks.ner.counts import metrics_from_counts, statistics

    source, data = resolve(requests["model"]), splits(requests["folder"])
    tokenizer = AutoTokenizer.from_pretrained(source)
    names = sorted({tag for row in data[0] for tag in row["tags"]})
    number = {name: index for index, name in enumerate(names)}
    pad = padding(tokenizer)

    def encoded(rows: Rows) -> Rows:
        features = []
        for row in rows:
            result = tokenizer(row["tokens"], is_split_into_words=True, truncation=True, max_length=requests["length"])
            owners = result.word_ids()
            before = [None, *owners[:-1]]
            labels = [
                number.get(row["tags"][owner], number["O"]) if owner is not None and owner != last else IGNORED
                for owner, last in zip(owners, before, strict=True)
            ]
            features.append(
                {
                    "input_ids": result["input_ids"],
                    "attention_mask": result["attention_mask"],
                    "labels": labels,
                    "gold": spans_of(row["tags"]),
                }
            )
        return features

    def quality(model: Any, rows: Rows, autocast: Callable[[], Any]) -> Score:
        given = [
            spans_of([names[tag] for tag, label in zip(output, row["labels"], strict=False) if label != IGNORED])
            for output, row in zip(answers(model, rows, pad, autocast), rows, strict=True)
        ]
        gold = [row["gold"] for row in rows]
        types = sorted({span["label"] for spans in (*gold, *given) for span in spans})
        result = bootstrap(statistics(gold, given, types), metrics_from_counts(len(types)), 1000, 0.95, 42)["f1"]
        return result.value, result.low, result.high

    model = AutoModelForTokenClassification.from_pretrained(source, num_labels=len(names), dtype=torch.float32)
    return Job(model, *map(encoded, data), pad, quality)


def writing(requests: dict[str, Any]) -> Job:
    """Documents with summaries, taught to a decoder by PEFT's LoRA on all its linear layers; judged by minus the loss of a summary's token."""
    from peft import LoraConfig, get_peft_model

    source, data = resolve(requests["model"]), splits(requests["folder"])
    tokenizer = AutoTokenizer.from_pretrained(source)
    pad = padding(tokenizer)

    def encoded(rows: Rows) -> Rows:
        features = []
        for row in rows:
            document = tokenizer(row["document"], truncation=True, max_length=requests["length"])["input_ids"]
            asks = [
                {"role": "user", "content": "Summarize:\n\n" + tokenizer.decode(document, skip_special_tokens=True)}
            ]
            output = tokenizer.apply_chat_template(asks, add_generation_prompt=True, tokenize=False)
            prompt = tokenizer(output, add_special_tokens=False)["input_ids"]
            target = [*tokenizer(row["summary"], add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
            ids = prompt + target
            features.append(
                {
                    "input_ids": ids,
                    "attention_mask": [1] * len(ids),
                    "labels": [IGNORED] * len(prompt) + target,
                }
            )
        return features

    def quality(model: Any, rows: Rows, autocast: Callable[[], Any]) -> Score:
        model.eval()
        sums = []
        with torch.inference_mode(), autocast():
            for row in rows:
                tokens = sum(label != IGNORED for label in row["labels"])
                batch = {name: tensor.to(model.device) for name, tensor in pad([row]).items()}
                sums.append([-float(model(**batch).loss) * tokens, tokens])
        result = bootstrap(np.array(sums), lambda total: {"loss": total[..., 0] / total[..., 1]})["loss"]
        return result.value, result.low, result.high

    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=16, target_modules="all-linear"))
    return Job(model, *map(encoded, data), pad, quality)


def size_of(job: Job) -> dict[str, float]:
    """Training rows, their tokens without padding, and the weights of the matrices in the model's layers."""
    weights = sum(
        module.weight.numel()
        for name, module in job.model.named_modules()
        if isinstance(module, torch.nn.Linear) and ".layer" in name and "lora" not in name
    )
    return {"rows": len(job.train), "tokens": sum(len(row["input_ids"]) for row in job.train), "weights": weights}


if __name__ == "__main__":
    print(json.dumps(size_of(job_for(json.loads(sys.argv[1])))))
