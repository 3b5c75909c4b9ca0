"""The training loop: transformers' Trainer with our batches, loss, optimizer, schedule, events and best weights.

One update, from top to bottom of `FineTuner`: a batch of similar lengths (`get_train_dataloader`), its loss (`compute_loss`) and
gradients (`training_step`), for as many micro-batches as a batch has; then their norm is limited (`_clip_grad_norm`) and the optimizer
makes its step (`create_optimizer`) with the rate of the schedule (`create_scheduler`). Between two updates `Watch` (callbacks.py) decides
whether to log, evaluate, save or stop. Does not know where rows come from or what happens after training.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import torch
from accelerate.data_loader import prepare_data_loader
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.utils.data import DataLoader
from transformers import TrainingArguments

from engine.config import TrainingConfig
from engine.inference.forward import collate
from engine.models.adapters import trainable_state
from engine.models.batching import LengthBuckets
from engine.models.device import Device, memory_mb
from engine.models.speed import clip_in_update
from engine.models.speed.fast_paths import ALL
from engine.schema import Feature
from engine.training import run_notices
from engine.training.budget import Budget
from engine.training.callbacks import Watch
from engine.training.checkpoint_files import Checkpoint, Checkpoints
from engine.training.checkpointing import ResumableTrainer
from engine.training.defaults import Resolved
from engine.training.events import EventLog
from engine.training.optim import parameter_groups, schedule_by_budget
from engine.training.process_group import SINGLE_PROCESS, ProcessGroup
from engine.training.progress import Progress, Throughput
from engine.training.stopping import Terminated

if TYPE_CHECKING:
    from accelerate.optimizer import AcceleratedOptimizer
    from torch.utils.data import Dataset
    from transformers import PreTrainedModel

Loss = Callable[[nn.Module, dict[str, torch.Tensor]], torch.Tensor]


@dataclass(frozen=True, slots=True)
class TrainingSetup:
    """The settings of one training. `fast_parameters` take steps `resolved.fast_ratio` times as large as the others."""

    resolved: Resolved
    config: TrainingConfig
    metric: str  # selects the best weights; higher is better
    seed: int
    device: Device
    pad_token_id: int
    micro_batch_size: int  # rows of one forward pass
    loss_per_token: bool = False  # whether the loss is a mean over tokens, not over sequences
    fast_parameters: Sequence[nn.Parameter] = ()
    fast_paths: frozenset[str] = ALL  # by name (models/speed/fast_paths.py)

    @property
    def accumulation(self) -> int:
        """Micro-batches of one update."""
        return -(-self.resolved.batch_size // self.micro_batch_size) * self.config.gradient_accumulation


@dataclass(frozen=True, slots=True)
class TrainerCallbacks:
    """What the trainer calls. `state` and `restore` give and take back what belongs into a checkpoint beside the trainer's own, as JSON."""

    loss: Loss  # of a batch with `labels`, a scalar
    evaluate: Callable[[], tuple[float, dict[str, float]]]  # loss and metrics on the validation rows
    stop_request: Callable[[], str | None] = lambda: None  # "keep", "discard", "terminate" or None
    on_best: Callable[[], None] = lambda: None  # after an evaluation that is the best so far
    state: Callable[[], dict[str, Any] | None] = lambda: None
    restore: Callable[[Any], None] = lambda values: None


class FineTuner(ResumableTrainer):
    """Trains on features that are already encoded; the best weights end up in `progress.best_state`.

    `budget` ends training where time is limited, with the learning rate at zero; after `max_seconds` it ends wherever it is.
    """

    def __init__(
        self,
        model: nn.Module,
        features: list[Feature],
        setup: TrainingSetup,
        callbacks: TrainerCallbacks,
        *,
        events: EventLog,
        checkpoints: Checkpoints,
        budget: Budget,
        max_seconds: float = math.inf,
        group: ProcessGroup = SINGLE_PROCESS,
    ):
        self._features = features
        self._setup = setup
        self._callbacks = callbacks
        self._events = events
        self.checkpoints = checkpoints
        self.budget = budget
        self._max_seconds = max_seconds
        self.group = group
        self.progress = Progress(setup.metric)
        self.terminated = False  # the system is ending the process: leave with a checkpoint and without a result
        self._shortened_notified = False
        self._seconds_before = 0.0  # of training, by earlier attempts
        self._start = time.perf_counter()
        self._throughput = Throughput()
        self._losses: list[torch.Tensor] = []  # of the micro-batches since the last evaluation
        super().__init__(
            model=model,
            args=_arguments(setup, str(checkpoints.directory)),
            train_dataset=features,
            callbacks=[Watch(self, setup.config, callbacks.stop_request)],
        )

    # One update ---------------------------------------------------------------------------------------------------------------

    def get_train_dataloader(self) -> DataLoader:
        setup = self._setup
        sampler = LengthBuckets([len(feature) for feature in self._features], setup.micro_batch_size, setup.seed)
        self.sampler = sampler
        rows = cast("Dataset[Feature]", self._features)  # a list has what a data loader uses of a data set
        if self.group.size == 1:
            loader: DataLoader[Any] = DataLoader(
                rows, batch_sampler=sampler, collate_fn=partial(collate, pad_token_id=setup.pad_token_id)
            )
            return self.accelerator.prepare(loader)
        # Every process draws the whole batch and keeps its shard; accelerate would give each a batch of its own.
        loader = DataLoader(rows, batch_sampler=sampler, collate_fn=self._collate_shard)
        device = self.accelerator.device
        return prepare_data_loader(loader, device=device, num_processes=1, process_index=0, put_on_device=True)

    def _collate_shard(self, features: list[Feature]) -> dict[str, torch.Tensor]:
        shard = self.group.shard(features, self._setup.loss_per_token)
        batch = collate(shard.features, pad_token_id=self._setup.pad_token_id)
        return {**batch, "shard": torch.tensor([shard.weight, shard.sequences, shard.tokens], dtype=torch.float32)}

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        if self.group.size == 1:
            self._throughput.add(len(inputs["input_ids"]), int(inputs["attention_mask"].sum()))
            return self._callbacks.loss(model, inputs)
        weight, sequences, tokens = inputs.pop("shard").tolist()
        self._throughput.add(int(sequences), int(tokens))
        # Processes average their gradients: the weight corrects for shards of unequal size.
        return weight * self._callbacks.loss(model, inputs)

    def training_step(
        self,
        model: nn.Module,
        inputs: dict[str, torch.Tensor],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        loss = super().training_step(model, inputs, num_items_in_batch)
        if self.group.size > 1:
            # All processes see the same loss, so that all stop where one diverges.
            loss = self.accelerator.reduce(loss, reduction="mean")
        if not torch.isfinite(loss):
            raise run_notices.diverged(self._setup.resolved.learning_rate, self.state.global_step)
        # Trainer divides by the number of accumulated batches; the curve shows the loss of a row.
        self._losses.append(loss.detach() * self.current_gradient_accumulation_steps)
        return loss

    def _clip_grad_norm(self, model: nn.Module) -> torch.Tensor:
        """The norm of all gradients, which are clipped here or within the optimizer's step."""
        # accelerate wraps the optimizer once training begins.
        optimizer, args = cast("AcceleratedOptimizer", self.optimizer).optimizer, self.args
        in_update = "clip_in_update" in self._setup.fast_paths
        if not in_update or not clip_in_update.fits(optimizer, args.device, args.world_size):
            return super()._clip_grad_norm(model)
        return clip_in_update.clip(optimizer, model.parameters(), args.max_grad_norm)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """AdamW without decay of biases and norms, as Trainer creates it, with larger steps for the fast parameters."""
        trained = cast("PreTrainedModel", model or self.model)
        kind, options = self.get_optimizer_cls_and_kwargs(self.args, trained)
        groups = parameter_groups(
            trained,
            decayed=set(self.get_decay_parameter_names(trained)),
            fast={id(parameter) for parameter in self._setup.fast_parameters},
            learning_rate=self.args.learning_rate,
            fast_ratio=self._setup.resolved.fast_ratio,
            weight_decay=self.args.weight_decay,
        )
        self.optimizer = kind(groups, **options)
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> LRScheduler:
        """Trainer's own schedule, read at the budget's position."""
        scheduler = super().create_scheduler(num_training_steps, optimizer)
        assert self.optimizer is not None and isinstance(scheduler, LambdaLR)
        self.lr_scheduler = schedule_by_budget(scheduler, self.optimizer, self.budget)
        return self.lr_scheduler

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        # Trainer would count parameters for every batch, for a figure that nobody reads here.
        return 0

    # Between updates ----------------------------------------------------------------------------------------------------------

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Write one step event, whenever `Watch` asks for one."""
        self.control.should_log = False
        if "loss" not in logs:
            return
        self._events.emit(
            "step",
            step=self.state.global_step,
            total_steps=self.state.max_steps,
            epoch=round(self.state.epoch or 0.0, 4),
            loss=logs["loss"],
            learning_rate=logs["learning_rate"],
            grad_norm=logs.get("grad_norm"),
            **self._throughput.rates(),
            memory_mb=memory_mb(),
        )

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Score the validation rows, write an event, and keep the weights if they are the best so far."""
        # Trainer looks at this flag again at the end of the epoch.
        self.control.should_evaluate = False
        start = time.perf_counter()
        loss, metrics = self.group.on_main(self._callbacks.evaluate)
        step, epoch = self.state.global_step, float(self.state.epoch or 0.0)
        best = self.progress.record(metrics[self.progress.metric], loss, step, epoch)
        if best:
            self._keep_weights()
        seconds = round(time.perf_counter() - start, 3)
        point = {
            "step": step,
            "epoch": round(epoch, 4),
            "train_loss": float(torch.stack(self._losses).mean()) if self._losses else None,
            "loss": loss,
            "metrics": metrics,
            "best": best,
            "seconds": seconds,
        }
        self.budget.evaluated(seconds)
        self._losses.clear()
        self.progress.evaluations.append(point)
        self._events.emit("evaluation", **point)
        # Rates are those of training, without this evaluation.
        self._throughput.restart()
        return metrics

    def _keep_weights(self) -> None:
        """Keep the current weights as the best, in memory and on disk: a crash later loses none of them."""
        self.progress.best_state = trainable_state(self.accelerator.unwrap_model(self.model))
        self._callbacks.on_best()
        if self.is_world_process_zero():
            self.best_file = self.checkpoints.save_best(self.state.global_step, self.progress.best_state)

    def counters(self) -> dict[str, Any]:
        return {
            "examples": self._throughput.examples,
            "tokens": self._throughput.tokens,
            "seconds": self.seconds,
            "losses": [float(loss) for loss in self._losses],
            "budget": self.budget.state(),
            "beside": self._callbacks.state(),
        }

    def restore_counters(self, values: dict[str, Any]) -> None:
        self._throughput.examples, self._throughput.tokens = values["examples"], values["tokens"]
        self._seconds_before = values["seconds"]
        if "budget" in values:  # older versions had none
            self.budget.restore(values["budget"])
        self._callbacks.restore(values["beside"])
        self._losses = [torch.tensor(loss, device=self.args.device) for loss in values["losses"]]
        self._throughput.restart()

    @property
    def seconds(self) -> float:
        """Spent on training so far, by all attempts."""
        return self._seconds_before + time.perf_counter() - self._start

    @property
    def out_of_time(self) -> bool:
        return self.seconds >= self._max_seconds

    def notify_out_of_time(self) -> None:
        run_notices.out_of_time(self._events, self._max_seconds)

    def notify_shortened(self) -> None:
        """Announce once that not all epochs fit into the time, and about how many do."""
        if not self._shortened_notified:
            self._shortened_notified = True
            resolved = self._setup.resolved
            epochs = resolved.epochs * self.budget.planned / self.budget.full
            run_notices.shortened(self._events, epochs, resolved.epochs, resolved.minutes or 0)

    def fit(self, checkpoint: Checkpoint | None = None) -> Progress:
        """Train to the end, or until a stop request. Raises RunFailure (diverged), StopRequested, Terminated."""
        self._start = time.perf_counter()
        self.train_from(checkpoint)
        if self.terminated:
            raise Terminated
        if not self.progress.evaluations:
            # Stopped before the first evaluation: the current weights are the best there are.
            self.evaluate()
        self.progress.seconds = self.seconds
        self.progress.examples, self.progress.tokens = self._throughput.examples, self._throughput.tokens
        return self.progress


def _arguments(setup: TrainingSetup, directory: str) -> TrainingArguments:
    """The settings in Trainer's terms. Logging, evaluation and saving are off: `Watch` decides about them."""
    config, device = setup.config, setup.device
    fused = device.name != "mps" and "fused_optimizer" in setup.fast_paths
    return TrainingArguments(
        output_dir=directory,
        num_train_epochs=setup.resolved.epochs,
        per_device_train_batch_size=setup.micro_batch_size,
        gradient_accumulation_steps=setup.accumulation,
        learning_rate=setup.resolved.learning_rate,
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
        seed=setup.seed,
        logging_strategy="no",
        logging_nan_inf_filter=False,
        eval_strategy="no",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        # All features are in memory; loader processes would only take time to start.
        dataloader_num_workers=0,
        dataloader_pin_memory=device.name == "cuda",
    )
