"""The fastest matrix products of this machine, FLOP/s: {"fp32": ..., "bf16": ...}. One line of JSON.

The best of several shapes, large squares and those of a small encoder, for a second each.
"""

from __future__ import annotations

import json
import time

import torch

SHAPES = ((1024, 1024, 1024), (2048, 2048, 2048), (2048, 384, 1536), (2048, 768, 3072))  # rows, inner, columns
SECONDS = 1.0


def peak(dtype: torch.dtype) -> float:
    best = 0.0
    for rows, inner, columns in SHAPES:
        left, right = torch.randn(rows, inner, dtype=dtype), torch.randn(columns, inner, dtype=dtype)
        torch.nn.functional.linear(left, right)
        ended = time.perf_counter() + SECONDS
        while (began := time.perf_counter()) < ended:
            torch.nn.functional.linear(left, right)
            best = max(best, 2 * rows * inner * columns / (time.perf_counter() - began))
    return best


if __name__ == "__main__":
    with torch.inference_mode():
        print(json.dumps({"fp32": peak(torch.float32), "bf16": peak(torch.bfloat16)}))
