"""The training loop: transformers' Trainer with our batches, our loss, our events and our best checkpoint.

Knows how updates are made and watched. Does not know where examples come from or what happens after training.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from accelerate.data_loader import prepare_data_loader
from torch import nn
from torch.utils.data import DataLoader
from transformers import TrainingArguments

from engine.config import TrainingConfig
from engine.inference.forward import collate
from engine.models.adapters import trainable_state
from engine.models.batching import LengthBuckets
from engine.models.device import Device, memory_mb
from engine.models.speed.fast_paths import ALL
from engine.schema import Feature
from engine.training import run_notices
from engine.training.budget import Budget
from engine.training.callbacks import Watch
from engine.training.checkpoint_files import Checkpoint, Checkpoints
from engine.training.defaults import Resolved
from engine.training.events import EventLog
from engine.training.optim import Stepping
from engine.training.process_group import ProcessGroup
from engine.training.progress import Progress
from engine.training.stopping import Terminated

ALONE = ProcessGroup()


class FineTuner(Stepping):
    """Trainer over features that are already encoded.

    `loss` takes the model and a batch with `labels` and returns a scalar; `evaluate_now` returns (loss, metrics) on the validation rows;
    `stop_request` returns "keep", "discard", "terminate" or None. The parameters in `fast` take steps `resolved.fast_ratio` times as
    large; of the fast paths `fast_paths` those of the update are used. `kept` is called when an evaluation is the best so far, `beside` gives and takes back what else belongs into a checkpoint, as
    JSON. `budget` ends training where time is short, with the rate at zero; after `max_seconds` it is ended wherever it is. The best
    weights end up in `progress.best_state`.
    """

    def __init__(
        self,
        model: nn.Module,
        features: list[Feature],
        *,
        resolved: Resolved,
        config: TrainingConfig,
        seed: int,
        device: Device,
        pad_token_id: int,
        loss: Callable[[nn.Module, dict[str, torch.Tensor]], torch.Tensor],
        evaluate_now: Callable[[], tuple[float, dict[str, float]]],
        metric: str,
        stop_request: Callable[[], str | None],
        kept: Callable[[], None],
        events: EventLog,
        checkpoints: Checkpoints,
        max_seconds: float,
        micro_batch_size: int,
        budget: Budget,
        fast: Sequence[nn.Parameter] = (),
        fast_paths: frozenset[str] = ALL,
        team: ProcessGroup = ALONE,
        by_tokens: bool = False,
        beside: tuple[Callable[[], dict[str, Any]], Callable[[dict[str, Any]], None]] | None = None,
    ):
        self._features = features
        self.resolved = resolved
        self._pad_token_id = pad_token_id
        self._loss = loss
        self._evaluate_now = evaluate_now
        self._events = events
        self.checkpoints = checkpoints
        self._max_seconds = max_seconds
        self.budget = budget
        self._kept = kept
        self._beside = beside
        self._seed = seed
        self._micro_batch_size = micro_batch_size
        self.fast = {id(parameter) for parameter in fast}
        self.fast_paths = fast_paths
        self.team = team
        self._by_tokens = by_tokens  # what the loss is a mean over: tokens or sequences
        self.progress = Progress(metric)
        self.terminated = False  # the system wants an end: leave with a checkpoint and without a result
        self._told_fitted = False
        self._before = 0.0  # seconds that earlier attempts trained
        self._began = time.perf_counter()
        self._seen_examples = 0
        self._seen_tokens = 0
        self._last_log = (time.perf_counter(), 0, 0)
        self._losses: list[torch.Tensor] = []  # of the batches since the last evaluation
        fused = device.name != "mps" and "fused_optimizer" in fast_paths
        accumulation = -(-resolved.batch_size // micro_batch_size) * config.gradient_accumulation
        super().__init__(
            model=model,
            args=TrainingArguments(
                output_dir=str(checkpoints.directory),
                num_train_epochs=resolved.epochs,
                per_device_train_batch_size=micro_batch_size,
                gradient_accumulation_steps=accumulation,
                learning_rate=resolved.learning_rate,
                lr_scheduler_type=config.scheduler,
                # A share; transformers reads an integer of one and more as a number of steps.
                warmup_steps=config.warmup,
                weight_decay=config.weight_decay,
                max_grad_norm=config.max_grad_norm,
                # One kernel for the whole update: a fifth of a step less at 32 x 16 tokens on a CPU.
                optim="adamw_torch_fused" if fused else "adamw_torch",
                bf16=device.dtype == torch.bfloat16,
                fp16=device.dtype == torch.float16,
                torch_compile=config.compile,
                use_cpu=device.name == "cpu",
                seed=seed,
                logging_strategy="no",
                logging_nan_inf_filter=False,
                eval_strategy="no",
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                remove_unused_columns=False,
                # Everything is in memory already; loader processes would only cost their start.
                dataloader_num_workers=0,
                dataloader_pin_memory=device.name == "cuda",
            ),
            train_dataset=features,
            callbacks=[Watch(self, config, stop_request)],
        )

    def get_train_dataloader(self) -> DataLoader:
        sampler = LengthBuckets([len(feature) for feature in self._features], self._micro_batch_size, self._seed)
        self.sampler = sampler
        if self.team.size == 1:
            loader = DataLoader(
                self._features, batch_sampler=sampler, collate_fn=partial(collate, pad_token_id=self._pad_token_id)
            )
            return self.accelerator.prepare(loader)
        # Every process draws the whole batch and keeps its share; accelerate would give each a batch of its own.
        loader = DataLoader(self._features, batch_sampler=sampler, collate_fn=self._collate_share)
        device = self.accelerator.device
        return prepare_data_loader(loader, device=device, num_processes=1, process_index=0, put_on_device=True)

    def _collate_share(self, features: list[Feature]) -> dict[str, torch.Tensor]:
        share = self.team.share(features, self._by_tokens)
        batch = collate(share.features, pad_token_id=self._pad_token_id)
        return {**batch, "share": torch.tensor([share.weight, share.sequences, share.tokens], dtype=torch.float32)}

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        if self.team.size == 1:
            self._seen_examples += len(inputs["input_ids"])
            self._seen_tokens += int(inputs["attention_mask"].sum())
            return self._loss(model, inputs)
        weight, sequences, tokens = inputs.pop("share").tolist()
        self._seen_examples += int(sequences)
        self._seen_tokens += int(tokens)
        # Processes average their gradients: shares of unequal size, and the last batch's, count as what they are.
        return weight * self._loss(model, inputs)

    def training_step(
        self,
        model: nn.Module,
        inputs: dict[str, torch.Tensor],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        loss = super().training_step(model, inputs, num_items_in_batch)
        if self.team.size > 1:
            # All see the same loss, so that all stop where one of them diverges.
            loss = self.accelerator.reduce(loss, reduction="mean")
        if not torch.isfinite(loss):
            raise run_notices.diverged(self.resolved.learning_rate, self.state.global_step)
        # Trainer divides by the accumulated batches; the curve shows the loss of an example.
        self._losses.append(loss.detach() * self.current_gradient_accumulation_steps)
        return loss

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        # Trainer counts parameters anew for every batch to fill a figure that nobody reads here.
        return 0

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """One step event, whenever `Watch` asks for one."""
        self.control.should_log = False
        if "loss" not in logs:
            return
        now = time.perf_counter()
        then, examples, tokens = self._last_log
        seconds = max(now - then, 1e-9)
        self._last_log = (now, self._seen_examples, self._seen_tokens)
        self._events.emit(
            "step",
            step=self.state.global_step,
            total_steps=self.state.max_steps,
            epoch=round(self.state.epoch or 0.0, 4),
            loss=logs["loss"],
            learning_rate=logs["learning_rate"],
            grad_norm=logs.get("grad_norm"),
            examples_per_second=round((self._seen_examples - examples) / seconds, 1),
            tokens_per_second=round((self._seen_tokens - tokens) / seconds, 1),
            memory_mb=memory_mb(),
        )

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Score the validation rows, tell it, and keep the weights when they are the best so far."""
        # Trainer looks at this flag again at the end of the epoch.
        self.control.should_evaluate = False
        started = time.perf_counter()
        loss, metrics = self.team.answer(self._evaluate_now)
        progress = self.progress
        value = metrics[progress.metric]
        best = progress.is_best(value, loss)
        # Patience is with scores: a loss can fall by next to nothing for ever.
        progress.since_best = 0 if value > progress.best_value else progress.since_best + 1
        if best:
            progress.best_value, progress.best_loss = value, loss
            progress.best_step, progress.best_epoch = self.state.global_step, float(self.state.epoch or 0.0)
            progress.best_state = trainable_state(self.accelerator.unwrap_model(self.model))
            self._kept()
            if self.is_world_process_zero():
                # On disk too: a crash later loses none of what was learned.
                self.best_file = self.checkpoints.save_best(self.state.global_step, progress.best_state)
        point = {
            "step": self.state.global_step,
            "epoch": round(float(self.state.epoch or 0.0), 4),
            "train_loss": float(torch.stack(self._losses).mean()) if self._losses else None,
            "loss": loss,
            "metrics": metrics,
            "best": best,
            "seconds": round(time.perf_counter() - started, 3),
        }
        self.budget.evaluated(point["seconds"])
        self._losses.clear()
        progress.evaluations.append(point)
        self._events.emit("evaluation", **point)
        # Rates are of training: the pause for this evaluation is none of it.
        self._last_log = (time.perf_counter(), self._seen_examples, self._seen_tokens)
        return metrics

    def counters(self) -> dict[str, Any]:
        return {
            "examples": self._seen_examples,
            "tokens": self._seen_tokens,
            "seconds": self.seconds,
            "losses": [float(loss) for loss in self._losses],
            "budget": self.budget.state(),
            "beside": self._beside[0]() if self._beside else None,
        }

    def restore_counters(self, values: dict[str, Any]) -> None:
        self._seen_examples, self._seen_tokens = values["examples"], values["tokens"]
        self._before = values["seconds"]
        if "budget" in values:  # not in what a version wrote that knew none
            self.budget.restore(values["budget"])
        if self._beside:
            self._beside[1](values["beside"])
        self._losses = [torch.tensor(loss, device=self.args.device) for loss in values["losses"]]
        self._last_log = (time.perf_counter(), self._seen_examples, self._seen_tokens)

    @property
    def seconds(self) -> float:
        """Spent on training so far, by all attempts."""
        return self._before + time.perf_counter() - self._began

    @property
    def out_of_time(self) -> bool:
        return self.seconds >= self._max_seconds

    def tell_out_of_time(self) -> None:
        run_notices.out_of_time(self._events, self._max_seconds)

    def tell_fitted(self) -> None:
        """Once, that not all passes fit into the time, and about how many do."""
        if not self._told_fitted:
            self._told_fitted = True
            whole = self.resolved.epochs
            run_notices.fitted(
                self._events, whole * self.budget.planned / self.budget.full, whole, self.resolved.minutes or 0
            )

    def fit(self, checkpoint: Checkpoint | None = None) -> Progress:
        """Train to the end, or until asked to stop. Raises RunFailure (diverged), StopRequested, Terminated."""
        self._began = time.perf_counter()
        self.train_from(checkpoint)
        if self.terminated:
            raise Terminated
        if not self.progress.evaluations:
            # Stopped before the first evaluation: what there is now is the best there is.
            self.evaluate()
        self.progress.seconds = self.seconds
        self.progress.examples, self.progress.tokens = self._seen_examples, self._seen_tokens
        return self.progress
