"""The run directory is the contract. Run: python -m pytest tests/engine/runs/test_store.py"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import psutil
import pytest

from engine.config import RunConfig
from engine.core.errors import ConfigProblem, RunProblem
from engine.run_directory.identity import identity_of
from engine.run_directory.store import STALE_SECONDS, START_SECONDS, Run, Store, open_run


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "runs")


def config(**values) -> RunConfig:
    return RunConfig.from_dict({"data": {"train": "a.csv"}, **values})


def test_a_new_run_is_queued_and_keeps_its_configuration(store):
    run = store.create(config(seed=7, name="a/../b"))
    assert run.state == "queued"
    assert run.config == config(seed=7, name="a/../b")
    assert [r.id for r in store] == [run.id]


def test_a_wrong_configuration_leaves_nothing_behind(store):
    with pytest.raises(ConfigProblem):
        store.create(RunConfig())
    assert not store.directory.exists()


def test_what_a_newer_version_wrote_survives_an_update(store):
    run = store.create(config())
    path = run.path("manifest.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "lineage": {"step": 3}, "stars": 5}))
    assert run.update(name="new").name == "new"
    assert run.manifest.extra == {"lineage": {"step": 3}, "stars": 5}
    written = json.loads(path.read_text())
    assert written["name"] == "new" and written["lineage"] == {"step": 3} and written["stars"] == 5
    assert "extra" not in written


def test_a_run_knows_its_parent_and_may_have_none(store):
    first = store.create(config())
    second = store.create(config(), parent=first.id)
    assert first.manifest.parent == "" and second.manifest.parent == first.id
    values = json.loads(second.path("manifest.json").read_text())
    del values["parent"]  # as an older version wrote it
    second.path("manifest.json").write_text(json.dumps(values))
    assert second.manifest.parent == ""


@pytest.mark.parametrize("run_id", ["", "..", "../x", "/etc", "20260101-000000-00000000", "x" * 500, None, 3])
def test_an_id_is_never_a_path(store, run_id):
    (store.directory.parent / "x").mkdir(parents=True)
    (store.directory.parent / "x" / "manifest.json").write_text("{}")
    with pytest.raises(RunProblem):
        store.get(run_id)


def test_a_run_whose_worker_lives_is_running(store):
    run = store.create(config())
    run.update(state="running", process=identity_of(os.getpid()))
    assert run.state == "running"


def test_a_run_whose_worker_died_is_interrupted(store):
    run = store.create(config())
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    run.update(state="running", process=identity_of(worker.pid))
    assert run.state == "running"
    worker.kill()
    # Not yet waited for, it is a zombie: dead all the same.
    deadline = time.time() + 10
    while psutil.Process(worker.pid).status() != psutil.STATUS_ZOMBIE and time.time() < deadline:
        time.sleep(0.01)
    assert run.state == "interrupted"
    worker.wait()
    assert run.state == "interrupted"
    # The file is the worker's: a reader concludes, it does not write.
    assert json.loads(run.path("manifest.json").read_text())["state"] == "running"


def test_what_a_worker_wrote_before_it_went_counts_however_late_it_is_read(store, monkeypatch):
    """Between the reading of the manifest and the look at its process the worker may finish and go."""
    run = store.create(config())
    run.update(state="running", process=identity_of(os.getpid()))

    def ends_meanwhile(self, manifest):
        run.update(state="completed")
        return False

    monkeypatch.setattr(Run, "_worker_alive", ends_meanwhile)
    assert run.state == "completed"


def test_a_reused_process_id_is_another_process(store):
    run = store.create(config())
    run.update(state="running", process={**identity_of(os.getpid()), "started": 1.0})
    assert run.state == "interrupted"


def test_on_another_machine_the_heartbeat_decides(store):
    run = store.create(config())
    run.update(state="running", process={"pid": 1, "started": 0.0, "host": "elsewhere@1"})
    assert run.state == "interrupted"
    run.path("heartbeat").touch()
    assert run.state == "running"
    old = time.time() - STALE_SECONDS - 1
    os.utime(run.path("heartbeat"), (old, old))
    assert run.state == "interrupted"


def test_a_queued_run_whose_worker_never_came_is_interrupted(store):
    run = store.create(config())
    run.update(queued=time.time() - START_SECONDS - 1)
    assert run.state == "interrupted"


def test_events_are_read_from_a_cursor_and_half_lines_wait(store):
    run = store.create(config())
    assert run.events() == ([], 0)
    path = run.path("events.jsonl")
    path.write_bytes('{"type": "phase", "phase": "数据"}\n{"type": "st'.encode())
    events, offset = run.events()
    assert [e["type"] for e in events] == ["phase"]
    with path.open("ab") as file:
        file.write(b'ep"}\n')
    events, offset = run.events(offset)
    assert [e["type"] for e in events] == ["step"]
    assert run.events(offset) == ([], offset)


def test_stop_requests(store):
    run = store.create(config())
    assert run.requested_stop is None
    run.request("keep")
    assert run.requested_stop == "keep"
    with pytest.raises(ValueError, match="kill"):
        run.request("kill")


def test_an_active_run_is_not_deleted(store):
    run = store.create(config())
    with pytest.raises(RunProblem):
        store.delete(run.id)
    run.update(state="completed")
    store.delete(run.id)
    assert not run.directory.exists()


def test_a_folder_that_is_no_run_says_so(tmp_path):
    with pytest.raises(RunProblem, match=r"manifest\.json"):
        open_run(tmp_path)


def test_a_reader_never_sees_half_a_manifest(store):
    """A writer replaces the manifest all the time while another process reads it."""
    run = store.create(config())
    code = f"""
import sys; sys.path.insert(0, {os.getcwd()!r})
from pathlib import Path
from engine.run_directory.identity import identity_of
from engine.run_directory.store import Run
run = Run(Path({str(run.directory)!r}))
for i in range(200): run.update(name='x' * (i * 50))
"""
    writer = subprocess.Popen([sys.executable, "-c", code])
    reads = 0
    while writer.poll() is None:
        assert set(Run(run.directory).manifest.name) <= {"x"}
        reads += 1
    assert writer.returncode == 0
    assert reads > 5
    assert not list(run.directory.glob(".manifest*"))
