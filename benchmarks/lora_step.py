"""A LoRA step of SmolLM2 in three ways, alternating: as PEFT computes it, each LoRA layer as one product, and frozen layers read once.

    python benchmarks/lora_step.py [--rounds 5] [--batch 4] [--tokens 440] [--lora-layers 15]

Milliseconds (median) of a forward and backward pass without an update, which is the same for all. The first two rows compute every layer
in every pass; the third takes what leaves the frozen layers from memory, as every pass after the first does; the fourth is what the
first pass pays for that. In float32 LoRA is one product in the last two rows as well; elsewhere that row is left out. Alone on the machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.assets import model_folder
from engine.config import MethodConfig
from engine.generation.loss import target_loss
from engine.models.adapters import apply_method
from engine.models.device import choose_device, keep_freed_memory, use_threads
from engine.models.generators import load_generator
from engine.models.speed import frozen_layer_cache, fused_lora, target_logits_only
from engine.models.unwrap import unwrap

TARGET_TOKENS = 28  # a summary's, of each sequence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=440)
    parser.add_argument("--lora-layers", type=int, default=15)
    given = parser.parse_args()
    use_threads()
    keep_freed_memory()
    device = choose_device("cpu")
    loaded = load_generator(str(model_folder("smollm2")), dropout=0.0)
    model = apply_method(loaded, MethodConfig(name="lora", lora_layers=given.lora_layers), True)
    model.train()
    target_logits_only.enable(loaded.model)
    ids = torch.randint(5, 40_000, (given.batch, given.tokens), generator=torch.Generator().manual_seed(0))
    labels = torch.full_like(ids, -100)
    labels[:, -TARGET_TOKENS:] = ids[:, -TARGET_TOKENS:]
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}

    def step() -> None:
        with device.autocast():
            loss = target_loss(model, batch)
        loss.backward()
        model.zero_grad(set_to_none=True)

    def read() -> None:
        lower.clear()
        with device.autocast():
            lower.fill({"input_ids": ids})

    taken: dict[str, list[float]] = defaultdict(list)
    step()
    for _ in range(given.rounds):
        taken["every layer, LoRA as PEFT computes it"].append(milliseconds(step))
        if device.dtype == torch.float32:
            fused = fused_lora.enable(model)
            taken["every layer, LoRA as one product"].append(milliseconds(step))
        lower = frozen_layer_cache.enable(unwrap(model), loaded.tokenizer.pad_token_id)
        if lower is None:
            parser.error("no layer is frozen below LoRA's: give fewer --lora-layers")
        taken["reading them"].append(milliseconds(read))
        taken["lower layers from memory"].append(milliseconds(step))
        lower.remove()
        if device.dtype == torch.float32:
            fused.remove()
    print(
        f"| {given.batch} x {given.tokens} tokens, {device.dtype}, LoRA on the upper {given.lora_layers} | ms |\n|---|---|"
    )
    for name, each in taken.items():
        print(f"| {name} | {statistics.median(each):.0f} |")


def milliseconds(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main()
