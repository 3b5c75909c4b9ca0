"""Which process a run belongs to, distinguished from any other that may get the same number.

Knows machines and processes. Does not know runs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> dict[str, Any]:
    """`pid`, `started` and `host` of the calling process, to be recorded and looked up later."""
    return identity_of(os.getpid())


def identity_of(pid: int) -> dict[str, Any]:
    """The same of another living process. psutil.NoSuchProcess when there is none."""
    return {"pid": pid, "started": _start(pid), "host": host()}


def on_this_host(identity: dict[str, Any]) -> bool:
    """Whether the process can be looked at from here. A reboot makes another host of the same machine."""
    return identity["host"] == host()


def is_alive(identity: dict[str, Any]) -> bool:
    """Whether that very process, of this host, still runs. One that ended and was not waited for does not."""
    try:
        worker = psutil.Process(identity["pid"])
        return worker.status() != psutil.STATUS_ZOMBIE and _start(identity["pid"]) == identity["started"]
    except psutil.NoSuchProcess:
        return False


def host() -> str:
    """This machine since its last boot."""
    if _BOOT_ID.is_file():
        return f"{os.uname().nodename}@{_BOOT_ID.read_text().strip()}"
    return f"{os.uname().nodename}@{int(psutil.boot_time())}"


def _start(pid: int) -> float:
    """When a process started: clock ticks since boot on Linux, where no change of the clock moves them, else Unix seconds."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        # The name, in parentheses, may hold anything; starttime is field 22 (proc_pid_stat(5)).
        return float(stat.read_text().rpartition(")")[2].split()[19])
    except FileNotFoundError as error:
        if Path("/proc/self/stat").exists():
            raise psutil.NoSuchProcess(pid) from error
    except ProcessLookupError as error:
        raise psutil.NoSuchProcess(pid) from error
    return psutil.Process(pid).create_time()
