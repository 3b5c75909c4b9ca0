"""One process is told from any other with its number. Run: python -m pytest tests/engine/runs/test_identity.py"""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest

from engine.run_directory import identity


def sleeper() -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def test_a_process_lives_until_it_is_killed():
    process = sleeper()
    known = identity.identity_of(process.pid)
    assert identity.on_this_host(known) and identity.is_alive(known)
    process.kill()
    deadline = time.time() + 10
    while identity.is_alive(known) and time.time() < deadline:
        time.sleep(0.01)
    # Dead already as a zombie, and after it was waited for.
    assert not identity.is_alive(known)
    process.wait()
    assert not identity.is_alive(known)
    with pytest.raises(psutil.NoSuchProcess):
        identity.identity_of(process.pid)


def test_another_process_with_the_same_number_is_not_it():
    known = identity.this_process()
    assert not identity.is_alive({**known, "started": known["started"] + 1})


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs /proc, where a process's start is counted in ticks since boot"
)
def test_a_clock_that_jumps_changes_nothing(monkeypatch):
    known = identity.this_process()
    monkeypatch.setattr(psutil, "boot_time", lambda: time.time() + 1e6)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert identity.on_this_host(known) and identity.is_alive(known)


def test_another_machine_or_boot_is_another_host():
    assert not identity.on_this_host({**identity.this_process(), "host": "elsewhere@1"})
