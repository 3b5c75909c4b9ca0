"""The loss of a generative model: cross-entropy on the target tokens alone.

Knows tensors, and which positions of a batch are targets; does not know texts or tasks.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from engine.models.speed.target_logits_only import only_at
from engine.models.unwrap import is_encoder_decoder, unwrap
from engine.schema import IGNORED


def target_loss(model: nn.Module, batch: dict[str, torch.Tensor], smoothing: float = 0.0) -> torch.Tensor:
    """Mean cross-entropy of the target tokens. `batch` has `input_ids`, `attention_mask` and `labels` (IGNORED beside targets)."""
    logits, targets = target_logits(model, batch)
    return functional.cross_entropy(logits.float(), targets, label_smoothing=smoothing)


def target_losses(model: nn.Module, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The summed loss of each sequence's target, and its number of tokens: both [b]."""
    logits, targets = target_logits(model, batch)
    each = functional.cross_entropy(logits.float(), targets, reduction="none")
    counted = _targets(model, batch) != IGNORED
    owners = counted.nonzero()[:, 0]
    sums = torch.zeros(len(counted), device=each.device).index_add_(0, owners, each)
    return sums, counted.sum(dim=1)


def target_logits(model: nn.Module, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits [n, vocabulary] before each of the batch's n target tokens, and those tokens [n]."""
    targets = _targets(model, batch)
    known = targets != IGNORED
    inputs = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}
    if is_encoder_decoder(model):
        inputs["decoder_input_ids"] = unwrap(model).prepare_decoder_input_ids_from_labels(labels=batch["labels"])
    with only_at(unwrap(model), known) as selected:
        if selected and not is_encoder_decoder(model):
            # Padding lies on the right, where no earlier token attends to it: without a mask attention is purely causal, which fused
            # kernels compute faster.
            inputs["attention_mask"] = torch.ones_like(batch["attention_mask"])
        logits = model(**inputs, use_cache=False).logits
    return (logits if selected else logits[known]), targets[known]


def next_logits(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Logits [b, vocabulary] of the first token of an answer."""
    inputs = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}
    if is_encoder_decoder(model):
        start = unwrap(model).generation_config.decoder_start_token_id
        inputs["decoder_input_ids"] = torch.full_like(batch["input_ids"][:, :1], start)
        at = torch.ones_like(inputs["decoder_input_ids"], dtype=torch.bool)
    else:
        at = torch.zeros_like(batch["input_ids"], dtype=torch.bool)
        at[torch.arange(len(at)), batch["attention_mask"].sum(dim=1) - 1] = True
    with only_at(unwrap(model), at) as selected:
        logits = model(**inputs, use_cache=False).logits
    return logits if selected else logits[at]


def _targets(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The next token that each position of the decoder should predict, [b, t], IGNORED beside targets."""
    labels = batch["labels"]
    if is_encoder_decoder(model):
        return labels
    shifted = torch.full_like(labels, IGNORED)
    shifted[:, :-1] = labels[:, 1:]
    return shifted
