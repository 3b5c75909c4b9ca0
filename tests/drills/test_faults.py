"""The fault drill: workers and servers killed at random moments, a disk that fills up, two servers, a clock that jumps.

Nothing is lost, every state is honest, and every interrupted run can be brought to its end. Tiny random models, real
processes, real signals. Run: python -m pytest tests/drills/test_faults.py
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.config import RunConfig
from engine.core.errors import RunProblem
from engine.core.settings import Settings
from engine.report.files import load_report
from engine.run_directory.store import ACTIVE, Run, Store
from engine.runs.launch import launch, resumable, resume
from engine.training.context import RunContext
from engine.training.events import EventLog
from engine.training.pipeline import run_pipeline
from engine.training.worker import forget_checkpoints
from tests.engine.conftest import sentences, tiny_bert  # noqa: F401 - fixtures

ROOT = Path(__file__).resolve().parents[2]
# What the page's server does with runs: start or resume them, go its rounds, and stay up. Its words are one JSON line a run.
SERVER = """
import json, sys, time
from engine.config import RunConfig
from engine.core.errors import UserError
from engine.runs.launch import launch, resume
from engine.runs.supervisor import Supervisor
from engine.run_directory.store import Store
from engine.core.settings import Settings
settings = Settings.from_env(); store = Store(settings.runs_dir)
Supervisor(store, settings).start()
for line in sys.stdin:
    asked = json.loads(line)
    try:
        if "resume" in asked:
            run = store.get(asked["resume"]); resume(run, store, settings)
        else:
            run, _ = launch(RunConfig.from_dict(asked["config"]), store, settings)
        print(json.dumps({"run": run.id}), flush=True)
    except UserError as error:
        print(json.dumps({"refused": error.code}), flush=True)
"""


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    monkeypatch.setenv("TUNEBENCH_RUNS", str(tmp_path / "data" / "runs"))
    monkeypatch.setenv("TUNEBENCH_CHECKPOINT_SECONDS", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return Settings.from_env()


def describe(table: Path, model: Path, epochs: float = 25) -> RunConfig:
    return RunConfig.from_dict(
        {
            "data": {"train": str(table)},
            "model": {"id": str(model), "dropout": 0.1},
            "training": {
                "epochs": epochs,
                "learning_rate": 1e-3,
                "batch_size": 16,
                "precision": "fp32",
                "early_stopping": 0,
            },
            "evaluation": {"bootstrap_samples": 100, "baselines": False},
        }
    )


class Server:
    """A server process that can be killed as a machine kills it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def send(self, **requests: object) -> None:
        self.process.stdin.write(json.dumps(requests) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict:
        return json.loads(self.process.stdout.readline())

    def ask(self, **requests: object) -> dict:
        self.send(**requests)
        return self.answer()

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def wait_until(condition, seconds: float = 180.0, every: float = 0.05) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(every)


def workers_of(run: Run) -> list[int]:
    """Living processes that carry out this run."""
    result = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"engine.training.worker" in words and str(run.directory).encode() in words:
            result.append(int(folder.name))
    return result


def kill_worker(run: Run) -> None:
    for pid in workers_of(run):
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    wait_until(lambda: not workers_of(run))


def carried_out_here(config: RunConfig, store: Store, settings: Settings) -> Run:
    """A run without faults, in this process, which has loaded the libraries already."""
    run = store.create(config)
    log = EventLog(run.path("events.jsonl"))
    run_pipeline(RunContext(run, log, settings))
    log.close()
    run.update(state="completed", finished=time.time())
    forget_checkpoints(run)
    return run


def outcome(run: Run) -> tuple:
    report = load_report(run.path("report"))
    return report["test"], report["run"]["best_step"], json.dumps(report["run"]["history"])


EPOCHS = 60
# Whom to kill, and how far the run is by then; random moments around that. "birth": before the worker has said who it is.
KILLS = (
    ("worker", "birth"),
    ("both", "loading"),
    ("server", "training", 0.1),
    ("worker", "training", 0.3),
    ("both", "birth"),
    ("server", "loading"),
    ("both", "training", 0.5),
    ("server", "training", 0.6),
    ("worker", "training", 0.8),
    ("both", "ending"),
)


def wait_for_moment(run: Run, start: int, moment: str, share: float, chance: random.Random) -> None:
    """Until the attempt whose events begin at byte `start` is that far, and a random while more; at once if it has ended."""

    def there() -> bool:
        events = run.events(start)[0]
        if moment == "ending":
            return any(event.get("phase") == "save" for event in events)
        return any(event["type"] == "evaluation" and event["epoch"] >= share * EPOCHS for event in events)

    if moment in ("birth", "loading"):
        time.sleep(chance.uniform(0.0, 0.3 if moment == "birth" else 3.0))
        return
    wait_until(lambda: there() or run.state not in ACTIVE, every=0.01)
    time.sleep(chance.uniform(0.0, 0.2))


@pytest.mark.training
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to find the processes of a run")
def test_ten_kills_of_worker_server_or_both_lose_nothing(tiny_bert, sentences, settings):  # noqa: F811
    store = Store(settings.runs_dir)
    config = describe(sentences, tiny_bert, EPOCHS)
    whole = carried_out_here(config, store, settings)

    chance = random.Random(20)
    server = Server()
    run = store.get(server.ask(config=config.to_dict())["run"])
    start, kills = 0, 0
    try:
        for victim, moment, *share in KILLS:
            wait_for_moment(run, start, moment, *share or (0.0,), chance)
            kills += run.state in ACTIVE
            if victim != "worker":
                server.kill()
                server = Server()
            if victim == "server":
                # Its worker goes on, and is still the run's own: nothing is left running that nobody owns.
                assert len(workers_of(run)) == 1 or run.state not in ACTIVE
                continue
            kill_worker(run)
            if run.manifest.process is None:
                # Killed before it had said who it is: it counts as starting for a minute, then as gone.
                run.update(queued=time.time() - 120)
            wait_until(lambda: run.state not in ACTIVE, 10)  # what was killed takes a moment to be gone
            if run.state == "completed":
                break  # it had ended by itself, a moment before it could be killed
            assert run.state == "interrupted", run.log_tail()
            assert resumable(run)
            start = run.events()[1]
            assert server.ask(resume=run.id) == {"run": run.id}
        wait_until(lambda: run.state not in ACTIVE)
        assert run.state == "completed", run.log_tail()
        assert kills >= len(KILLS) - 1, "only the last may have come too late"
        assert sum(event["type"] == "resumed" and event["step"] > 0 for event in run.events()[0]) >= 2
        assert outcome(run) == outcome(whole)
        wait_until(lambda: not workers_of(run), 20)
    finally:
        server.kill()
        kill_worker(run)


@pytest.mark.training
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to find the processes of a run")
def test_two_servers_on_one_directory_share_one_queue(tiny_bert, sentences, settings):  # noqa: F811
    store = Store(settings.runs_dir)
    config = describe(sentences, tiny_bert, epochs=2)
    servers = [Server(), Server()]
    try:
        for server in servers:
            server.send(config=config.to_dict())
        runs = [store.get(server.answer()["run"]) for server in servers]
        wait_until(lambda: any(run.state == "running" for run in runs))
        assert sum(run.state == "running" for run in runs) == 1
        first = next(run for run in runs if run.state == "running")
        kill_worker(first)
        wait_until(lambda: first.state == "interrupted", 5)
        for server in servers:
            server.send(resume=first.id)
        answers = [server.answer() for server in servers]
        assert sorted(next(iter(answer)) for answer in answers) == ["refused", "run"]
        assert {"refused": "run_is_active"} in answers
        wait_until(lambda: all(run.state == "completed" for run in runs))
        (_, early), (late, _) = sorted((run.manifest.started, run.manifest.finished) for run in runs)
        assert early <= late, "one at a time"
    finally:
        for server in servers:
            server.kill()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own with room for a run or two."""
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


@pytest.mark.training
def test_a_full_disk_fails_one_run_and_harms_nothing(tiny_bert, sentences, settings, small_disk, monkeypatch):  # noqa: F811
    monkeypatch.setenv("TUNEBENCH_RUNS", str(small_disk / "runs"))
    settings = Settings.from_env()
    store = Store(settings.runs_dir)
    done = carried_out_here(describe(sentences, tiny_bert, epochs=2), store, settings)
    before = {path: path.read_bytes() for path in done.directory.rglob("*") if path.is_file()}

    run, worker = launch(describe(sentences, tiny_bert, epochs=60), store, settings)
    wait_until(lambda: any(run.path("checkpoints").glob("step-*")))
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            pass  # full, which is what was wanted
    assert worker.wait(120) == 1
    assert run.state == "failed"
    assert run.manifest.error["code"] == "disk_full"
    assert {path: path.read_bytes() for path in done.directory.rglob("*") if path.is_file()} == before
    with pytest.raises(Exception, match="not enough room"):
        launch(describe(sentences, tiny_bert), store, settings)

    filler.unlink()
    assert resumable(run)
    assert resume(run, store, settings).wait() == 0
    assert run.state == "completed"
    assert any(event["type"] == "resumed" and event["step"] > 0 for event in run.events()[0])


def test_a_clock_that_jumps_ends_no_run_and_turns_back_no_diary(settings, monkeypatch, tmp_path):
    from engine.run_directory.identity import this_process

    store = Store(settings.runs_dir)
    run = store.create(RunConfig.from_dict({"data": {"train": "a.csv"}}))
    log = EventLog(run.path("events.jsonl"))
    now = time.time()
    run.update(state="running", process=this_process())
    for jump in (0.0, 1e7, -1e7):
        monkeypatch.setattr(time, "time", lambda jump=jump: now + jump)
        assert run.state == "running"
        log.emit("phase", phase="data")
        with pytest.raises(RunProblem):
            store.delete(run.id)
    elapsed = [event["elapsed"] for event in run.events()[0]]
    assert elapsed == sorted(elapsed) and elapsed[-1] < 60
