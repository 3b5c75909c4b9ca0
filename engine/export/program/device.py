"""Where to compute and in which number format, decided as Tunebench decides it, so that the answers are the same."""

from __future__ import annotations

from typing import Any


def choose_device(torch: Any) -> tuple[str, Any]:
    """The device's name, and the number format of its products."""
    if torch.cuda.is_available():
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return "cuda", torch.bfloat16 if bf16 else torch.float16
    if torch.backends.mps.is_available():
        return "mps", torch.float32
    features = torch.cpu.get_capabilities()
    fast = features.get("amx_bf16") or features.get("avx512_bf16")
    return "cpu", torch.bfloat16 if fast else torch.float32
