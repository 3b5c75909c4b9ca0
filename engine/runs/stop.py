"""Ending a run: by asking, then by SIGTERM, then by SIGKILL of its process group.

Whoever asks (the page's server, the command line) also sees to it that the worker ends. Knows the steps and that a number is
not a process: nothing is signalled but the very process that the run names. Does not know what a worker does on its way out.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from engine.core.errors import RunFailure, RunProblem
from engine.core.text import Text
from engine.run_directory.identity import is_alive, on_this_host
from engine.run_directory.locks import turn_lock
from engine.run_directory.store import ACTIVE, Run

GRACE_SECONDS = 20.0  # from the request to SIGTERM; a worker looks for requests four times a second while it trains
TERM_SECONDS = 10.0  # from SIGTERM to SIGKILL
POLL_SECONDS = 0.1


def ask(run: Run, action: str) -> None:
    """Ask an active run to stop and `keep` its best model, or to `discard` it. RunProblem when it has ended."""
    if run.state not in ACTIVE:
        raise RunProblem(
            "run_has_ended",
            Text("This run has already ended.", "该运行已经结束。"),
            Text("Resume it, or start another.", "可以继续该运行，或另外新建。"),
        )
    run.request(action)


def enforce(run: Run, grace: float = GRACE_SECONDS, term: float = TERM_SECONDS) -> bool:
    """See to it that a run whose end was requested ends; returns whether it had to be killed.

    A request to keep is given all the time it needs: its worker saves and reports, and the watchdog looks after one that
    hangs. Seconds are counted by this process, so a clock that is set meanwhile hurries nobody.
    """
    if run.requested_stop != "discard":
        return False
    if _ended_within(run, grace):
        return False
    return end(run, "stopped", None, term)


def end(run: Run, state: str, problem: RunFailure | None, term: float = TERM_SECONDS) -> bool:
    """End a worker that does not answer, and write down `state` for it. Returns whether there was one to end."""
    process = run.manifest.process
    ended = process is not None and signal_process(process, signal.SIGTERM)
    if process is not None and ended and not _ended_within(run, term):
        signal_process(process, signal.SIGKILL, group=True)
        _ended_within(run, term)
    conclude(run, state, problem)
    return ended


def conclude(run: Run, state: str, problem: RunFailure | None) -> bool:
    """Write the end of a run whose worker is gone and could not write it. Returns False where there is nothing to conclude."""
    with turn_lock(run.directory.parent):
        if run.state != "interrupted":
            return False
        run.update(state=state, finished=time.time(), error=problem.to_dict() if problem else None)
    return True


def signal_process(identity: dict[str, Any], number: int, group: bool = False) -> bool:
    """Send a signal to that very process, or to the group it leads. False when it is gone or lives elsewhere.

    A process id may be given to another process at any moment. A pidfd may not; and a process that was stopped through one
    cannot exit, so that its group still has its number when the group is killed.
    """
    if not on_this_host(identity):
        return False
    pid = identity["pid"]
    try:
        if not _has_pidfd():
            if not is_alive(identity):
                return False
            (os.killpg if group and os.getpgid(pid) == pid else os.kill)(pid, number)
            return True
        handle = os.pidfd_open(pid)
        try:
            if not is_alive(identity):
                return False
            if group and os.getpgid(pid) == pid:
                signal.pidfd_send_signal(handle, signal.SIGSTOP)
                os.killpg(pid, number)
            else:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)
    except ProcessLookupError:
        return False
    return True


def _has_pidfd() -> bool:
    """Linux 5.3 and newer; elsewhere identity and signal are a moment apart."""
    return "pidfd_open" in vars(os) and "pidfd_send_signal" in vars(signal)


def _ended_within(run: Run, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while run.state in ACTIVE:
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
