"""A worker that waits for its run. Run: python -m pytest tests/engine/runs/test_spare.py"""

from __future__ import annotations

import os
import select
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.config import DataConfig, RunConfig
from engine.run_directory.store import Store
from engine.runs import prewarmed_worker, process
from engine.runs.prewarmed_worker import PrewarmedWorker

pytestmark = pytest.mark.slow


def waiting(one: PrewarmedWorker) -> int:
    """The process that waits, once it is ready."""
    worker = one._worker
    deadline = time.monotonic() + 120
    while not select.select([worker.stdout], [], [], 0.1)[0]:
        assert time.monotonic() < deadline and worker.poll() is None, "the worker did not get ready"
    return worker.pid


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


@pytest.fixture
def ready(monkeypatch) -> PrewarmedWorker:
    """This process's spare worker. A test has it get ready itself: pytest changes the environment from phase to phase."""
    one = PrewarmedWorker()
    monkeypatch.setattr(process, "PREWARMED_WORKER", one)
    yield one
    one.dismiss()


def test_a_run_takes_the_worker_that_waits_and_writes_into_its_own_log(ready, store: Store):
    process.prewarm()
    pid = waiting(ready)
    process.prewarm()
    assert ready._worker.pid == pid, "one is enough"
    run = store.create(RunConfig(task="classification", data=DataConfig(train="/nowhere.csv")))
    worker = process.start(run)
    assert worker.pid == pid
    assert worker.wait(60) == 2, "wrong input"
    manifest = run.manifest
    assert manifest.state == "failed" and "nowhere.csv" in str(manifest.error)
    assert "nowhere.csv" in run.path("train.log").read_text("utf-8")
    # The next run has a worker of its own.
    another = store.create(RunConfig(task="classification", data=DataConfig(train="/nowhere.csv")))
    assert process.start(another).wait(60) == 2


def test_a_worker_of_another_environment_is_not_taken_and_ends(ready, store: Store, monkeypatch):
    process.prewarm()
    pid = waiting(ready)
    monkeypatch.setenv("TUNEBENCH_MAX_ROWS", "7")
    run = store.create(RunConfig(task="classification", data=DataConfig(train="/nowhere.csv")))
    worker = process.start(run)
    assert worker.pid != pid and worker.wait(60) == 2
    gone(pid)


def test_a_worker_that_still_imports_is_left_alone(ready, tmp_path: Path):
    process.prewarm()
    assert ready.take(tmp_path, dict(ready._environment)) is None
    assert ready._worker is not None
    pid = ready._worker.pid
    ready.dismiss()
    gone(pid)


def test_after_one_that_died_waiting_there_is_no_other(ready, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(prewarmed_worker, "COMMAND", [sys.executable, "-c", "raise SystemExit(3)"])
    process.prewarm()
    ready._worker.wait(60)
    process.prewarm()
    assert ready._worker is None and ready.take(tmp_path, process._environment()) is None
    process.prewarm()
    assert ready._worker is None


def test_it_ends_with_the_server(tmp_path: Path):
    """A server that is killed closes its pipes, and no worker waits for ever."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        one = PrewarmedWorker()
        one.prepare(process._environment())
        os.write(writing, str(one._worker.pid).encode())
        os.close(writing)
        os._exit(0)
    os.close(writing)
    pid = int(os.read(reading, 32))
    os.close(reading)
    os.waitpid(child, 0)
    gone(pid)


def gone(pid: int) -> None:
    """Wait for a process to end; a zombie has."""
    deadline = time.monotonic() + 120
    try:
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, "it still waits"
            time.sleep(0.1)
    except psutil.NoSuchProcess:
        return
