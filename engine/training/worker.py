"""The child process that carries out one run: `python -m engine.training.worker RUN_DIR`.

Knows states, heartbeat and how a run ends, whatever happens. Does not know how a model is trained: that is the course.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from pathlib import Path

from engine.errors import UserError, explain
from engine.runs.identity import this_process
from engine.runs.queue import wait_for_turn
from engine.runs.store import Run, Store
from engine.settings import Settings
from engine.training.course import carry_out
from engine.training.events import EventLog

HEARTBEAT_SECONDS = 2.0

log = logging.getLogger("tunebench.worker")


def main(directory: str) -> int:
    """Carry out the run in `directory`. Returns the exit code: 0 completed or stopped, 2 wrong input, 1 failed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Library chatter about every request and weight belongs in nobody's log.
    for name in ("httpx", "httpcore", "transformers", "datasets", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.WARNING)
    run = Run(Path(directory).absolute())
    settings = Settings.from_env(runs_dir=run.directory.parent)
    run.update(process=this_process())
    stop_heart = _start_heart(run)
    events = EventLog(run.path("events.jsonl"))

    def begin() -> None:
        run.update(state="running", started=time.time())
        events.emit("state", state="running", error=None)

    try:
        got_turn = wait_for_turn(
            run,
            Store(run.directory.parent),
            settings.max_running,
            begin,
            cancelled=lambda: run.requested_stop is not None,
        )
        if not got_turn:
            return _end(run, events, "stopped")
        state = carry_out(run, settings, events)
        return _end(run, events, state)
    except Exception as error:
        problem = explain(error)
        if not isinstance(error, UserError):
            log.exception("the run failed")
        else:
            log.error("%s", problem, exc_info=error.__cause__)
        return _end(run, events, "failed", problem)
    finally:
        stop_heart.set()
        events.close()


def _end(run: Run, events: EventLog, state: str, problem: UserError | None = None) -> int:
    error = problem.to_dict() if problem else None
    run.update(state=state, finished=time.time(), error=error)
    events.emit("state", state=state, error=error)
    return problem.exit_code if problem else 0


def _start_heart(run: Run) -> threading.Event:
    """Touch the heartbeat from a thread of its own until the returned event is set."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(HEARTBEAT_SECONDS):
            run.path("heartbeat").touch()

    run.path("heartbeat").touch()
    threading.Thread(target=beat, name="heartbeat", daemon=True).start()
    return stop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
