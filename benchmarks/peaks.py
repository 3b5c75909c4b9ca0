"""The fastest matrix products of this machine, FLOP/s: {"fp32": ..., "bf16": ...}. One line of JSON.

The best of several shapes, large squares and those of a small encoder, for a second each; on the GPU where there is one. A processor
that only emulates bf16 computes with fp32, and what it reaches so is its limit for both.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.models.device import choose_device

SHAPES = {  # rows, inner, columns
    "cpu": ((1024, 1024, 1024), (2048, 2048, 2048), (2048, 384, 1536), (2048, 768, 3072)),
    "cuda": ((8192, 8192, 8192), (16384, 4096, 4096), (16384, 768, 3072)),
}
SECONDS = 1.0
AT_ONCE = {"cpu": 1, "cuda": 20}  # a GPU is timed over several products: starting one takes as long as a small one


def peak(dtype: torch.dtype, device: str) -> float:
    best = 0.0
    for rows, inner, columns in SHAPES[device]:
        left, right = (torch.randn(size, inner, dtype=dtype, device=device) for size in (rows, columns))
        multiply(left, right, device)
        ended = time.perf_counter() + SECONDS
        while (began := time.perf_counter()) < ended:
            multiply(left, right, device)
            taken = (time.perf_counter() - began) / AT_ONCE[device]
            best = max(best, 2 * rows * inner * columns / taken)
    return best


def multiply(left: torch.Tensor, right: torch.Tensor, device: str) -> None:
    for _ in range(AT_ONCE[device]):
        torch.nn.functional.linear(left, right)
    if device == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    chosen = choose_device()
    with torch.inference_mode():
        fp32 = peak(torch.float32, chosen.name)
        half = peak(chosen.dtype, chosen.name) if chosen.dtype != torch.float32 else fp32
        print(json.dumps({"fp32": fp32, "bf16": half}))
