"""Attention by itself on this processor: plain as transformers computes it, PyTorch's fused kernel, and ours.

    python benchmarks/attention.py [--rounds 20] [--precision fp32]

Milliseconds forward, and forward with the backward pass; the median of the rounds. The shapes are those of MiniLM (12 heads of 32) and of
SmolLM2 (9 heads that share 3 keys, of 64), padding masked in the first text. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.models.device import choose_device, keep_freed_memory, use_threads
from engine.models.speed.cpu_attention import Attention

SHAPES = (  # texts, heads, heads of keys, tokens, size of a head, causal
    (32, 12, 12, 8, 32, False),
    (32, 12, 12, 14, 32, False),
    (32, 12, 12, 30, 32, False),
    (16, 12, 12, 100, 32, False),
    (16, 12, 12, 192, 32, False),
    (8, 12, 12, 450, 32, False),
    (4, 9, 3, 450, 64, True),
)


def plain(query, key, value, seen, scaling, causal):
    times = query.shape[1] // key.shape[1]
    if times > 1:
        key, value = (tensor.repeat_interleave(times, 1) for tensor in (key, value))
    scores = torch.matmul(query, key.transpose(2, 3)) * scaling
    scores = scores + torch.zeros(seen.shape).masked_fill_(~seen, torch.finfo(torch.float32).min)
    return torch.matmul(torch.softmax(scores, -1).to(query.dtype), value).transpose(1, 2).contiguous()


def fused(query, key, value, seen, scaling, causal):
    output = functional.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=None if causal else seen,
        is_causal=causal,
        scale=scaling,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return output.transpose(1, 2).contiguous()


def few_passes(query, key, value, seen, scaling, causal):
    return Attention.apply(query, key, value, None if causal else seen, scaling, causal)


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds + 3):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return median(taken[3:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"))
    given = parser.parse_args()
    keep_freed_memory()
    threads, dtype = use_threads(), choose_device("cpu", given.precision).dtype
    print(f"{dtype}, {threads} threads\n")
    print("| texts x tokens, heads | plain | fused | few passes |\n|---|---|---|---|")
    for texts, heads, groups, tokens, size, causal in SHAPES:
        tensors = [
            torch.randn(texts, tokens, count, size, dtype=dtype).transpose(1, 2).detach().requires_grad_()
            for count in (heads, groups, groups)
        ]
        seen = torch.ones(texts, 1, tokens, tokens, dtype=torch.bool)
        if causal:
            seen = seen.tril()
        else:
            seen[0, :, :, tokens - 2 :] = False
        gradient = torch.randn(texts, tokens, heads, size, dtype=dtype)
        cells = []
        for attend in (plain, fused, few_passes):

            def forward(attend=attend, tensors=tensors, seen=seen, size=size, causal=causal):
                return attend(*tensors, seen, size**-0.5, causal)

            both = milliseconds(lambda forward=forward, gradient=gradient: forward().backward(gradient), given.rounds)
            cells.append(f"{milliseconds(forward, given.rounds):.2f}, {both:.2f}")
        print(
            f"| {texts} x {tokens}, {heads} / {groups}{', causal' if causal else ''} | {' | '.join(cells)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
