"""What a process does with memory that it freed, which attention it computes with, and what compiling needs.

Run: python -m pytest tests/engine/models/test_device.py
"""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
import torch

from engine.core.errors import ConfigProblem
from engine.core.text import Text
from engine.models.device import Device, attention_for, check_can_compile

CHILD = """
import psutil
from engine.models.device import keep_freed_memory

if {keeps}:
    assert keep_freed_memory()
block = bytearray(b"x") * 2**27
del block
print(psutil.Process().memory_info().rss)
"""


def resident(keeps: bool) -> int:
    done = subprocess.run([sys.executable, "-c", CHILD.format(keeps=keeps)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc, whose malloc it sets")
def test_freed_memory_is_kept_for_the_next_batch() -> None:
    assert resident(keeps=True) > resident(keeps=False) + 2**26


@pytest.mark.parametrize(("name", "lacking"), [("cpu", "C++"), ("cuda", "Triton")])
def test_compiling_without_a_compiler_is_refused(monkeypatch, name, lacking) -> None:
    device = Device(name, torch.float32, Text("", ""))
    monkeypatch.setattr("shutil.which", lambda program: "/usr/bin/c++" if program == "c++" else None)
    monkeypatch.setattr("importlib.util.find_spec", lambda module: object())
    check_can_compile(device)
    monkeypatch.setattr("shutil.which", lambda program: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    with pytest.raises(ConfigProblem, match=lacking.replace("+", r"\+")):
        check_can_compile(device)


@pytest.mark.parametrize(
    ("name", "dtype", "long_texts", "expected"),
    [
        ("cpu", torch.float32, False, "eager"),
        ("cpu", torch.float32, True, "sdpa"),
        ("cpu", torch.bfloat16, True, "eager"),
        ("cuda", torch.bfloat16, False, "sdpa"),
    ],
)
def test_attention_is_what_measured_fastest(name, dtype, long_texts, expected) -> None:
    assert attention_for(Device(name, dtype, Text("", "")), long_texts) == expected
