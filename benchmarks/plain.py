"""What people write today: one model, one table, trained by plain PyTorch or by transformers' Trainer.

    python benchmarks/plain.py '{"recipe": "textbook", "task": "classification", "folder": ..., ...}'

Each call is a process of its own that trains one recipe and prints one line of JSON. `benchmarks/training.py` starts them. Knows three
recipes and three tasks; does not know Tunebench's loop, of which only the embedded models and the intervals are taken.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()
sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from jobs import Job, job_for  # noqa: E402
from transformers import Trainer, TrainerCallback, TrainingArguments, get_scheduler, set_seed  # noqa: E402

from engine.models.device import choose_device, memory_mb  # noqa: E402

CHOSEN = choose_device()  # bf16 is left out where a processor only emulates it: a hundred times slower than fp32


@dataclass(slots=True)
class Watched:
    """Validation after each epoch. `paused` are the seconds it took, which are none of training's."""

    job: Job
    autocast: Callable[[], Any]
    best: float = -np.inf
    best_seconds: float = 0.0
    paused: float = 0.0

    def evaluate(self, model: torch.nn.Module) -> None:
        began = time.perf_counter()
        value = self.job.quality(model, self.job.validation, self.autocast)[0]
        if value > self.best:
            self.best, self.best_seconds = value, time.perf_counter() - STARTED
        model.train()
        self.paused += time.perf_counter() - began


def main(requests: dict[str, Any]) -> dict[str, Any]:
    set_seed(requests["seed"])
    job = job_for(requests)
    job.model.to(CHOSEN.name)
    autocast = CHOSEN.autocast if requests["recipe"] == "trainer-fast" else nullcontext
    watched = Watched(job, autocast)
    began = time.perf_counter()
    (textbook if requests["recipe"] == "textbook" else trainer)(job, requests, watched)
    training = time.perf_counter() - began - watched.paused
    value, low, high = job.quality(job.model, job.test, autocast)
    return {
        "training": training,
        "whole": time.perf_counter() - STARTED,
        "best": watched.best_seconds,
        "value": value,
        "low": low,
        "high": high,
        "memory_mb": memory_mb(),
    }


def textbook(job: Job, requests: dict[str, Any], watched: Watched) -> None:
    """fp32, every sequence padded to `length`, shuffled, AdamW with a linear schedule."""
    loader = torch.utils.data.DataLoader(
        job.train,
        batch_size=requests["batch"],
        shuffle=True,
        collate_fn=lambda rows: job.pad(rows, requests["length"]),
    )
    optimizer = torch.optim.AdamW(
        [weight for weight in job.model.parameters() if weight.requires_grad], lr=requests["rate"]
    )
    steps = round(len(loader) * requests["epochs"])
    schedule = get_scheduler("linear", optimizer, 0, steps)
    job.model.train()
    for step, batch in enumerate(_endless(loader), 1):
        job.model(**{name: tensor.to(CHOSEN.name) for name, tensor in batch.items()}).loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % len(loader) == 0 or step == steps:
            watched.evaluate(job.model)
        if step == steps:
            return


def _endless(loader: Any) -> Iterator[dict[str, torch.Tensor]]:
    while True:
        yield from loader


def trainer(job: Job, requests: dict[str, Any], watched: Watched) -> None:
    """transformers' Trainer; all that is not named is its default."""
    fast = (
        {"bf16": CHOSEN.dtype == torch.bfloat16, "train_sampling_strategy": "group_by_length"}
        if requests["recipe"] == "trainer-fast"
        else {}
    )

    class EachEpoch(TrainerCallback):
        def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            watched.evaluate(job.model)

    with tempfile.TemporaryDirectory() as output:
        Trainer(
            model=job.model,
            args=TrainingArguments(
                output,
                num_train_epochs=requests["epochs"],
                per_device_train_batch_size=requests["batch"],
                learning_rate=requests["rate"],
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                use_cpu=CHOSEN.name == "cpu",
                seed=requests["seed"],
                **fast,
            ),
            train_dataset=job.train,
            data_collator=job.pad,
            callbacks=[EachEpoch()],
        ).train()


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
