"""The child process that carries out one run: `python -m engine.training.worker RUN_DIR`.

With `--spare` instead of a directory it imports its libraries, reports that it is ready, and waits for one
(engine/runs/prewarmed_worker.py). Knows states, signals and how the end of a run is recorded, whatever happens. Does not know how a
model is trained (pipeline.py).
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from engine.core.errors import RunFailure, UserError, explain, is_disk_full
from engine.core.redact import RedactingFormatter
from engine.core.settings import Settings
from engine.core.text import Text
from engine.run_directory.identity import this_process
from engine.run_directory.locks import hold
from engine.run_directory.queue import wait_for_turn
from engine.run_directory.store import Run, Store
from engine.training.context import RunContext
from engine.training.events import EventLog, plain
from engine.training.pipeline import run_pipeline
from engine.training.stopping import SliceOver, StopRequested, Terminated
from engine.training.watchdog import Watchdog, start_heart

# The page shares the cores and a person waits for it, so it has priority. A run alone on its machine loses nothing.
NICENESS = 10
RESERVE_BYTES = 256 * 1024  # given back to a full disk, so that the end of the run can be written down

log = logging.getLogger("tunebench.worker")


def main(directory: str, seconds: float | None = None) -> int:
    """Carry out the run in `directory`. Returns the exit code: 0 completed or stopped, 2 wrong input, 1 failed.

    With `seconds` training ends about then with a checkpoint, and the run waits in the queue for its next slice.
    """
    _configure_logs()
    run = Run(Path(directory).absolute())
    if int(os.environ.get("RANK", "0")) > 0:
        from engine.training.distributed_worker import run_distributed_worker

        return run_distributed_worker(run.directory)
    lock = hold(run.path(".worker.lock"))
    if lock is None:
        log.error("another worker carries out %s", run.id)
        return 1
    settings = Settings.from_env(runs_dir=run.directory.parent)
    attempt = run.update(process=this_process()).attempt
    heart = start_heart(run)
    events: EventLog | None = None
    try:
        run.path(".reserve").write_bytes(b"\0" * RESERVE_BYTES)
        events = EventLog(run.path("events.jsonl"))
        with lock:
            return _work(run, settings, events, attempt, seconds)
    except Exception as error:
        problem = explain(error)
        if not isinstance(error, UserError):
            log.exception("the run failed")
        else:
            log.error("%s", problem, exc_info=error.__cause__)
        if is_disk_full(error):
            run.path(".reserve").unlink(missing_ok=True)
        return _end(run, events, "failed", problem)
    finally:
        heart.set()
        run.path(".reserve").unlink(missing_ok=True)


def _work(run: Run, settings: Settings, events: EventLog, attempt: int, seconds: float | None) -> int:
    """From the queue to the recorded end. Raises what the pipeline raises."""
    watchdog = Watchdog(events, settings, give_up=lambda problem: _give_up(run, events, problem))

    def begin() -> None:
        run.update(state="running", started=time.time())
        events.emit("state", state="running", error=None, attempt=attempt)

    def terminated(number: int, frame: object) -> None:
        log.warning("signal %d", number)
        # Only once: the checkpoint must not be interrupted by a second SIGTERM.
        signal.signal(number, signal.SIG_IGN)
        raise StopRequested if run.requested_stop == "discard" else Terminated

    # Python delivers signals to the main thread only; a slice may run in another.
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread:
        signal.signal(signal.SIGTERM, terminated)
    try:
        store = Store(run.directory.parent)
        if not wait_for_turn(run, store, settings.max_running, begin, lambda: run.requested_stop is not None):
            return _end(run, events, "stopped")
        watchdog.start()
        run_pipeline(RunContext(run, events, settings, seconds))
        code = _end(run, events, "completed")
        # Only now: a worker killed just before it recorded the end would have to train from the start.
        forget_checkpoints(run)
        return code
    except StopRequested:
        return _end(run, events, "stopped")
    except SliceOver:
        return _wait_for_slice(run, events, attempt)
    except Terminated:
        return _end(run, events, "interrupted", _terminated())
    finally:
        if in_main_thread:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        watchdog.stop()


def _end(run: Run, events: EventLog | None, state: str, problem: UserError | None = None) -> int:
    """Record how the run ended, in the manifest first."""
    error = plain(problem.to_dict()) if problem else None
    run.update(state=state, finished=time.time(), error=error)
    if events is not None:
        try:
            events.emit("state", state=state, error=error)
        except OSError:
            log.exception("the last event was not written")
        events.close()
    return problem.exit_code if problem else 0


def forget_checkpoints(run: Run) -> None:
    """Remove the checkpoints of a run that ended well, unless its owner stopped it early and may resume it."""
    folder = run.path("checkpoints")
    if run.requested_stop == "keep" or not folder.is_dir():
        return
    try:
        shutil.rmtree(folder)
    except OSError:
        log.exception("the checkpoints were not removed")  # which does not make the run fail


def _wait_for_slice(run: Run, events: EventLog, attempt: int) -> int:
    """Queue the run again after a slice: the next one resumes from the checkpoint."""
    run.update(state="queued", queued=time.time(), process=None, attempt=attempt + 1)
    events.emit("state", state="queued", error=None)
    events.close()
    return 0


def _give_up(run: Run, events: EventLog, problem: RunFailure) -> None:
    """Record the watchdog's end of the run, called from its thread."""
    log.error("%s", problem)
    _end(run, events, "failed", problem)


def _terminated() -> RunFailure:
    return RunFailure(
        "terminated",
        Text("The run was ended by the system: SIGTERM.", "该运行被系统终止（SIGTERM）。"),
        Text("Resume it; it goes on from its last checkpoint.", "可以继续该运行，它会从最近的检查点接着训练。"),
    )


def _configure_logs() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Libraries log every request and weight at this level.
    for name in ("httpx", "httpcore", "transformers", "datasets", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.WARNING)


def wait_for_run() -> str:
    """Import what every run needs, write one byte to stdout, and read a run's directory from stdin; "" when the server has ended.

    From then on this process is like one started for that run: its output goes into the run's log.
    """
    ready, null = os.dup(1), os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)  # output of a library that is being imported must not count as the signal
    from engine.training import report_run  # noqa: F401  # and with it every stage

    os.write(ready, b"\n")
    os.close(ready)
    directory = os.fsdecode(sys.stdin.buffer.readline().rstrip(b"\n"))
    if directory:
        log_file = os.open(Path(directory) / "train.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        for source, target in ((null, 0), (log_file, 1), (log_file, 2)):
            os.dup2(source, target)
        os.close(log_file)
    os.close(null)
    return directory


if __name__ == "__main__":
    if hasattr(os, "nice"):  # as everywhere but on Windows
        os.nice(NICENESS)
    run_directory = sys.argv[1] if sys.argv[1] != "--spare" else wait_for_run()
    code = main(run_directory) if run_directory else 0
    gc.freeze()
    sys.exit(code)
