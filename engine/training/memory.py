"""How many examples fit into memory at once, measured on the longest before training begins.

Knows what a forward pass keeps for the backward pass, and what the device has left. Does not know tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import torch
from torch import nn

SHARE = 0.5  # of what is free: the backward pass needs as much again for a moment
# A processor writes from a few rows as fast as from many, and the rest of the machine wants to live: a model that writes takes no more.
# Encoders take what is free: half a batch of 16 x 368 tokens at once is 3 to 7 % slower (MiniLM, fp32, two cores).
MOST_ON_CPU = 2 * 2**30


def bytes_kept(model: nn.Module, loss: Callable[[], torch.Tensor]) -> int:
    """What one forward pass keeps for its backward pass, in bytes; weights, which are there anyway, are not counted."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    # The measurement draws dropout's random numbers; training must not notice.
    with torch.random.fork_rng(devices), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss()
    return sum(kept.values())


def bytes_free(device: str) -> int:
    """Memory that may still be taken, in bytes: of the GPU, or of the machine and of the container this runs in."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[0]
    free = psutil.virtual_memory().available
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.is_file() and (given := limit.read_text().strip()) != "max":
        free = min(free, int(given) - int(used.read_text()))
    return max(0, free)


def fitting(batch_size: int, per_example: int, device: str, writes: bool = True) -> int:
    """The largest share of a batch, halved until it fits; 1 at least. `writes` is whether the model does."""
    budget = SHARE * bytes_free(device)
    if writes and device != "cuda":
        budget = min(budget, MOST_ON_CPU)
    size = batch_size
    while size > 1 and size * per_example > budget:
        size = -(-size // 2)
    return size
