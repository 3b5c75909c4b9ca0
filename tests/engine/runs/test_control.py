"""Stopping, queueing, naming, room on the disk, what is old. Run: python -m pytest tests/engine/runs/test_control.py"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from engine.config import RunConfig
from engine.core.errors import ConfigProblem, RunFailure, RunProblem
from engine.core.settings import Settings
from engine.run_directory import disk
from engine.run_directory.about import MOST_NOTE, about, describe
from engine.run_directory.identity import identity_of, this_process
from engine.run_directory.limits import over_limits
from engine.run_directory.queue import admit
from engine.run_directory.store import Run, Store
from engine.runs.api import failure_of
from engine.runs.cause import cause_of
from engine.runs.launch import launch, resumable, resume
from engine.runs.process import follow
from engine.runs.stop import ask, enforce, signal_process
from engine.runs.supervisor import DAY, PATIENCE_SECONDS, Supervisor

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print(child.pid, flush=True)
time.sleep(300)
"""


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "data" / "runs")


@pytest.fixture
def store(settings) -> Store:
    return Store(settings.runs_dir)


def config(**values) -> RunConfig:
    return RunConfig.from_dict({"data": {"train": "a.csv"}, **values})


def gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_run_in_slices_has_a_worker_that_can_be_followed(store, settings, tmp_path, monkeypatch):
    table = tmp_path / "data" / "a.csv"
    table.parent.mkdir(exist_ok=True)
    table.write_text("text,label\n")
    described = RunConfig.from_dict({"data": {"train": str(table)}})
    run, worker = launch(described, store, replace(settings, sliced=True))
    assert run.manifest.process is None and worker.poll() is None, "no process of its own, and not at its end"
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.01)
    run.update(state="completed")
    assert worker.poll() == worker.wait() == 0 and follow(run, worker, print) == "completed"
    run.update(state="interrupted")
    again = resume(run, store, replace(settings, sliced=True))
    assert again.poll() is None
    # No server takes it up.
    monkeypatch.setattr("engine.run_directory.store.START_SECONDS", 0.0)
    assert follow(run, again, print) == "interrupted" and again.poll() == 1
    assert failure_of(run, "interrupted").code == "interrupted"


def worked(run: Run, code: str) -> subprocess.Popen:
    """A process that stands for the run's worker, the leader of its own group."""
    worker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    run.update(state="running", process=identity_of(worker.pid))
    return worker


def test_a_worker_that_does_not_listen_is_killed_with_its_children(store):
    run = store.create(config())
    worker = worked(run, STUBBORN)
    child = int(worker.stdout.readline())
    ask(run, "discard")
    assert run.state == "stopping"
    assert enforce(run, grace=0.2, term=0.5)
    assert worker.wait(10) == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while not gone(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert gone(child), "stopping frees all memory, of children too"
    assert run.state == "stopped"
    with pytest.raises(RunProblem):
        ask(run, "discard")


def test_a_request_to_keep_is_never_hurried(store):
    run = store.create(config())
    worker = worked(run, STUBBORN)
    worker.stdout.readline()
    ask(run, "keep")
    assert not enforce(run, grace=0.0, term=0.0)
    assert worker.poll() is None
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def test_nobody_else_is_signalled_under_a_reused_number(store):
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    known = identity_of(bystander.pid)
    for wrong in ({**known, "started": known["started"] - 1}, {**known, "host": "elsewhere@1"}):
        assert not signal_process(wrong, signal.SIGKILL, group=True)
    time.sleep(0.2)
    assert bystander.poll() is None
    assert signal_process(known, signal.SIGKILL, group=True)
    assert bystander.wait(10) == -signal.SIGKILL
    assert not signal_process(known, signal.SIGKILL)


def test_a_frozen_worker_is_ended_and_said_so_whatever_the_clock_says(store, settings, monkeypatch):
    run = store.create(config())
    worker = worked(run, STUBBORN)
    worker.stdout.readline()
    os.kill(worker.pid, signal.SIGSTOP)
    now = [1000.0]
    supervisor = Supervisor(store, settings, clock=lambda: now[0])
    monkeypatch.setattr("engine.runs.stop.TERM_SECONDS", 0.2)
    monkeypatch.setattr(
        "engine.runs.supervisor.end", lambda *a: __import__("engine.runs.stop").runs.stop.end(*a, term=0.2)
    )
    supervisor.round()
    wall = time.time()
    monkeypatch.setattr("engine.runs.supervisor.time.time", lambda: wall + 10 * 365 * DAY)
    supervisor.round()
    assert run.state == "running", "a clock that jumps is no silence"
    monkeypatch.undo()
    monkeypatch.setattr(
        "engine.runs.supervisor.end", lambda *a: __import__("engine.runs.stop").runs.stop.end(*a, term=0.2)
    )
    now[0] += settings.hang_seconds
    supervisor.round()
    assert worker.wait(10) == -signal.SIGKILL
    assert run.state == "failed"
    assert run.manifest.error["code"] == "hung"
    assert resumable(run)


def test_a_worker_gets_ready_while_nothing_trains(store, settings, monkeypatch):
    requests = []
    monkeypatch.setattr("engine.runs.supervisor.prewarm", lambda: requests.append(True))
    Supervisor(store, settings).prepare()
    assert requests == [True]
    Supervisor(store, replace(settings, spare_worker=False)).prepare()
    Supervisor(store, replace(settings, sliced=True)).prepare()
    run = store.create(config())
    run.update(state="running", process=this_process())
    busy = Supervisor(store, settings)
    busy.round()
    busy.prepare()
    assert requests == [True]
    # A run that is deleted between two rounds keeps nobody waiting.
    shutil.rmtree(run.directory)
    busy.round()
    busy.prepare()
    assert requests == [True, True]


def test_limits_of_the_queue(store, settings):
    me = this_process()
    for owner in ("a", "a", "b"):
        store.create(config(), owner).update(process=me)
    crowded = Settings(settings.cache_dir, settings.runs_dir, max_queued=4, max_per_visitor=2)
    admit(store, crowded, "b")
    with pytest.raises(RunProblem) as problem:
        admit(store, crowded, "a")
    assert problem.value.code == "too_many_runs"
    store.create(config(), "c").update(process=me)
    with pytest.raises(RunProblem) as problem:
        admit(store, crowded, "d")
    assert problem.value.code == "queue_full"


def test_a_public_deployment_tells_every_limit_before_the_start(settings, monkeypatch):
    monkeypatch.setenv("TUNEBENCH_PUBLIC", "1")
    public = Settings.from_env(runs_dir=settings.runs_dir)
    requests = RunConfig.from_dict(
        {"data": {"train": "/etc/passwd"}, "model": {"id": "/etc"}, "training": {"epochs": 11}}
    )
    assert {problem.path for problem in over_limits(requests, public)} == {"data.train", "model.id", "training.epochs"}
    upload = public.uploads_dir / ("a" * 24) / "a.csv"
    fine = RunConfig.from_dict({"data": {"train": str(upload)}, "training": {"epochs": 10}})
    assert over_limits(fine, public) == []
    through = RunConfig.from_dict({"data": {"train": str(public.uploads_dir / ".." / "runs" / "x")}})
    assert {problem.path for problem in over_limits(through, public)} == {"data.train"}
    assert over_limits(requests, settings) == []


def test_room_is_counted_before_a_run_starts(settings):
    disk.require_room(settings, 1)
    with pytest.raises(RunFailure) as problem:
        disk.require_room(settings, 10**18)
    assert problem.value.code == "disk_short" and "left" in problem.value.message.en
    settings.uploads_dir.mkdir(parents=True)
    (settings.uploads_dir / "big").write_bytes(b"x" * 1_500_000)
    tight = Settings(settings.cache_dir, settings.runs_dir, disk_quota_mb=2)
    disk.require_room(tight, 400_000)
    with pytest.raises(RunFailure, match="set aside"):
        disk.require_room(tight, 600_000)


def test_a_name_and_a_note_are_kept_beside_what_the_worker_writes(store):
    run = store.create(config(name="first"))
    assert about(run).name == "first"
    describe(run, name="  a\x1b[31m\u202ename\n", note="one\ntwo ")
    run.update(state="completed")
    assert (about(run).name, about(run).note) == ("a[31mname", "one\ntwo")
    with pytest.raises(ConfigProblem):
        describe(run, note="x" * (MOST_NOTE + 1))
    assert about(run).note == "one\ntwo"


def test_what_is_old_goes_and_what_is_used_stays(store, settings):
    now = [0.0]
    weekly = Settings(settings.cache_dir, settings.runs_dir, keep_days=7, keep_upload_days=1)
    used, unused = (settings.uploads_dir / (letter * 24) for letter in "ab")
    for folder in (used, unused):
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("a")
    old = store.create(config())
    old.update(state="completed", finished=time.time() - 8 * DAY)
    young = store.create(RunConfig.from_dict({"data": {"train": str(used / "a.csv")}}))
    young.update(state="completed", finished=time.time())
    living = store.create(config())
    living.update(state="running", queued=1.0, process=this_process())
    (settings.runs_dir / ".trash-x").mkdir()
    supervisor = Supervisor(store, weekly, clock=lambda: now[0])
    for folder in (used, unused):
        os.utime(folder, (time.time() - 2 * DAY,) * 2)
    supervisor.clean(time.time())
    assert old.directory.exists(), "not before it was seen to be old for a while"
    supervisor.clean(time.time() + 10_000 * DAY)  # a clock that jumps, and comes back
    now[0] += PATIENCE_SECONDS
    supervisor.clean(time.time())
    assert not old.directory.exists() and not unused.exists() and not (settings.runs_dir / ".trash-x").exists()
    assert young.directory.exists() and living.directory.exists() and used.exists()


def test_a_private_deployment_keeps_its_runs(store, settings):
    now = [0.0]
    run = store.create(config())
    run.update(state="completed", finished=1.0)
    supervisor = Supervisor(store, settings, clock=lambda: now[0])
    supervisor.clean(time.time())
    now[0] += 10 * PATIENCE_SECONDS
    supervisor.clean(time.time())
    assert run.directory.exists()


def test_what_a_dead_worker_left_tells_why(store):
    run = store.create(config())
    me = this_process()
    dead = {**me, "started": 1.0}
    run.update(state="running", process=dead)
    run.path("heartbeat").write_text('{"available_mb": 40, "total_mb": 8000}')
    assert "memory" in cause_of(run, run.manifest).message.en
    run.path("heartbeat").write_text('{"available_mb": 4000, "total_mb": 8000}')
    assert "from outside" in cause_of(run, run.manifest).message.en
    run.path("train.log").write_text("OSError: [Errno 28] No space left on device")
    assert cause_of(run, run.manifest).code == "disk_full"
    node = me["host"].partition("@")[0]
    run.update(process={**me, "host": f"{node}@another-boot"})
    os.utime(run.path("heartbeat"), (1, 1))
    assert "restarted" in cause_of(run, run.manifest).message.en


@pytest.mark.parametrize(
    ("state", "error", "expected"),
    [
        ("interrupted", None, True),
        ("stopped", None, True),
        ("failed", {"kind": "RunFailure", "code": "disk_full"}, True),
        ("failed", {"kind": "RunFailure", "code": "diverged"}, False),
        ("failed", {"kind": "ColumnProblem", "code": "missing_column"}, False),
        ("completed", None, False),
    ],
)
def test_what_can_be_resumed(store, state, error, expected):
    run = store.create(config())
    run.update(state=state, error=error)
    assert resumable(run) is expected
