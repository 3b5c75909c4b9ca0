"""What a process does with memory that it freed."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

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
