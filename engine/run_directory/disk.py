"""Whether the disk has room for a run, before it starts.

Knows sizes, the quota and the free space. Does not know what a run writes, but by the estimate here.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from engine.core.errors import RunFailure
from engine.core.settings import Settings
from engine.core.text import Text

MEGABYTE = 1_000_000
FLOAT = 4  # bytes of a weight
# A checkpoint holds the trainable weights and Adam's two averages of them; two are kept while a third is written.
CHECKPOINTS, PER_CHECKPOINT = 3, 3
BESTS = 3  # best weights: the current ones, and those that the two checkpoints refer to
SPARE = 50 * MEGABYTE  # data, log, events, report; and a system's disk should never be filled to the last byte


def estimate(parameters: int, trainable: int, adapter: bool) -> int:
    """Bytes that a run writes at most: the model, its best weights, the checkpoints."""
    model = trainable if adapter else parameters
    return FLOAT * (model + trainable * (BESTS + CHECKPOINTS * PER_CHECKPOINT)) + SPARE


def require_room(settings: Settings, needed: int) -> None:
    """RunFailure when `needed` bytes would pass the deployment's quota or what the disk has left."""
    free = free_bytes(settings.runs_dir)
    if needed > free:
        raise _short(
            needed,
            Text(f"the disk has {_size(free)} left", f"磁盘只剩 {_size(free)}"),
            Text("Delete old runs or free some space", "请删除旧的运行或清理磁盘"),
        )
    if not settings.disk_quota_mb:
        return
    used = folder_bytes(settings.runs_dir) + folder_bytes(settings.uploads_dir)
    left = settings.disk_quota_mb * MEGABYTE - used
    if needed > left:
        raise _short(
            needed,
            Text(
                f"of the {_size(settings.disk_quota_mb * MEGABYTE)} set aside for runs {_size(max(left, 0))} are left",
                f"为运行预留的 {_size(settings.disk_quota_mb * MEGABYTE)} 空间只剩 {_size(max(left, 0))}",
            ),
            Text("Delete old runs", "请删除旧的运行"),
        )


def free_bytes(directory: Path) -> int:
    """What a process of ours may still write where `directory` is or will be."""
    while not directory.exists():
        directory = directory.parent
    return shutil.disk_usage(directory).free


def folder_bytes(directory: Path) -> int:
    """What the files below a folder take. Files that vanish while they are counted count as nothing."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue
    return total


def _short(needed: int, why: Text, then: Text) -> RunFailure:
    return RunFailure(
        "disk_short",
        Text(
            f"There is not enough room: the run needs up to {_size(needed)}, and {why.en}.",
            f"空间不足：该运行最多需要 {_size(needed)}，而{why.zh}。",
        ),
        Text(
            f"{then.en}; or train a smaller model, or LoRA instead of full fine-tuning.",
            f"{then.zh}；也可以换用更小的模型，或用 LoRA 代替全参数微调。",
        ),
        needed=needed,
    )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(count, 0) / 1e6:.0f} MB"
