"""The device and number format of a run, decided once, with the reason for display.

Knows what the hardware can do. Does not know the model or the task.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import platform
import resource
import shutil
import sys
from dataclasses import dataclass

import torch

from engine.core.errors import ConfigProblem
from engine.core.text import Text


@dataclass(frozen=True, slots=True)
class Device:
    """Where to compute. `dtype` is what matrix products use; weights stay float32 and autocast does the rest."""

    name: str  # "cuda", "mps" or "cpu"
    dtype: torch.dtype
    reason: Text

    @property
    def precision(self) -> str:
        return {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}[self.dtype]

    def autocast(self) -> contextlib.AbstractContextManager:
        if self.dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.name, dtype=self.dtype)


def choose_device(device: str = "auto", precision: str = "auto") -> Device:
    """The device and dtype for TrainingConfig's `device` and `precision`. ConfigProblem when it is not available."""
    name = _available(device)
    fast, reason = _fast_dtype(name)
    if precision == "auto":
        return Device(name, fast, reason)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    if dtype == torch.float16 and name == "cpu":
        raise ConfigProblem(
            "fp16_on_cpu",
            Text("training.precision fp16 needs a GPU.", "training.precision 为 fp16 时需要 GPU。"),
            Text("Choose auto, bf16 or fp32.", "请选择 auto、bf16 或 fp32。"),
            field="training.precision",
        )
    return Device(name, dtype, Text(f"{precision} as asked for", f"按设置使用 {precision}"))


def _available(device: str) -> str:
    available_devices = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(name for name, available in available_devices.items() if available)
    if not available_devices[device]:
        available_names = ", ".join(name for name, available in available_devices.items() if available)
        raise ConfigProblem(
            "no_such_device",
            Text(
                f"training.device is {device}, which this machine does not have.",
                f"training.device 为 {device}，但本机没有该设备。",
            ),
            Text(f"Available: {available_names}.", f"可用设备：{available_names}。"),
            field="training.device",
        )
    return device


def _fast_dtype(name: str) -> tuple[torch.dtype, Text]:
    if name == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.bfloat16, Text("bf16 on this GPU's tensor cores", "使用 GPU 张量核心的 bf16")
        return torch.float16, Text("fp16: this GPU has no bf16", "该 GPU 不支持 bf16，使用 fp16")
    if name == "mps":
        return torch.float32, Text("fp32 on Apple's GPU", "在苹果 GPU 上使用 fp32")
    features = torch.cpu.get_capabilities()
    if features.get("amx_bf16"):
        return torch.bfloat16, Text("bf16 on AMX", "使用 AMX 的 bf16")
    if features.get("avx512_bf16"):
        return torch.bfloat16, Text("bf16 on AVX-512", "使用 AVX-512 的 bf16")
    return torch.float32, Text("fp32: this processor has no fast bf16", "该处理器没有高速 bf16，使用 fp32")


def use_threads(count: int | None = None) -> int:
    """Let PyTorch use `count` threads, all cores that this process may use when not given. Returns the number."""
    if count is None:
        allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        count = int(os.environ.get("OMP_NUM_THREADS") or allowed)
    torch.set_num_threads(count)
    return count


CPP_COMPILERS = ("c++", "g++", "clang++", "cl")
# Parameters of mallopt(3).
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> bool:
    """Let a process that computes keep the memory it frees. Returns whether the C library supports it.

    glibc returns large blocks to the system at once, and every batch pays for having them mapped and zeroed again: a third of the
    time of a forward pass over long texts (benchmarks/README.md). Peak memory stays the same. For processes that end after their work.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    set_option = ctypes.CDLL(None).mallopt
    options = ((M_TRIM_THRESHOLD, 2**30), (M_TOP_PAD, 2**26), (M_MMAP_MAX, 0))
    accepted = [set_option(option, value) == 1 for option, value in options]
    return all(accepted)


def check_can_compile(device: Device) -> None:
    """ConfigProblem where torch.compile lacks the compiler that it generates code for: Triton on a GPU, C++ elsewhere."""
    if device.name == "cuda":
        available, compiler = importlib.util.find_spec("triton") is not None, "Triton"
    else:
        available, compiler = any(map(shutil.which, CPP_COMPILERS)), "C++"
    if available:
        return
    raise ConfigProblem(
        "cannot_compile",
        Text(
            f"training.compile needs a {compiler} compiler, which this machine does not have.",
            f"training.compile 需要 {compiler} 编译器，本机没有。",
        ),
        Text("Leave it off, or install the compiler.", "请关闭该选项，或安装编译器。"),
        field="training.compile",
    )


def attention_for(device: Device, long_texts: bool = False) -> str:
    """The attention implementation that measured fastest: eager on a CPU, except for long texts in float32.

    There the scores of all pairs of tokens cost more than the slower backward pass of the fused kernel.
    """
    return "eager" if device.name == "cpu" and not (long_texts and device.dtype == torch.float32) else "sdpa"


def memory_mb() -> float:
    """The most memory this process has used, in MiB: of the GPU where there is one, else of the machine."""
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        return round(torch.cuda.max_memory_allocated() / 2**20, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
