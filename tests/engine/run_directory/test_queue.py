"""First come, first served, one at a time. Run: python -m pytest tests/engine/runs/test_queue.py"""

from __future__ import annotations

import threading
import time

from engine.config import RunConfig
from engine.run_directory.identity import this_process
from engine.run_directory.queue import computing, position, wait_for_turn
from engine.run_directory.store import Store

ME = this_process()


def queued(store, order: int):
    run = store.create(RunConfig.from_dict({"data": {"train": "a.csv"}}))
    run.update(process=ME, created=time.time() + order)
    return run


def test_position_counts_those_ahead(tmp_path):
    store = Store(tmp_path)
    first, second, third = (queued(store, i) for i in range(3))
    assert [position(r, store) for r in (first, second, third)] == [0, 1, 2]
    first.update(state="running")
    assert position(third, store) == 2
    first.update(state="completed")
    assert position(third, store) == 1


def test_only_runs_that_have_their_turn_compute(tmp_path):
    store = Store(tmp_path)
    first, second = (queued(store, i) for i in range(2))
    assert computing(store) == 0
    first.update(state="running")
    assert computing(store) == 1
    second.update(state="stopping")
    first.update(state="completed")
    assert computing(store) == 1


def test_a_dead_run_is_ahead_of_nobody(tmp_path):
    store = Store(tmp_path)
    dead, waiting = queued(store, 0), queued(store, 1)
    dead.update(process={**ME, "started": 1.0})
    assert dead.state == "interrupted"
    assert position(waiting, store) == 0


def test_two_runs_take_turns(tmp_path):
    store = Store(tmp_path)
    runs = [queued(store, i) for i in range(3)]
    started: list[str] = []

    def work(run):
        def begin():
            run.update(state="running")
            started.append(run.id)
            running = [r.id for r in store if r.state == "running"]
            assert running == [run.id]

        assert wait_for_turn(run, store, 1, begin, lambda: False)
        time.sleep(0.05)
        run.update(state="completed")

    threads = [threading.Thread(target=work, args=(run,)) for run in reversed(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert started == [run.id for run in runs]


def test_a_waiting_run_can_be_cancelled(tmp_path):
    store = Store(tmp_path)
    first, second = queued(store, 0), queued(store, 1)
    first.update(state="running")
    second.request("discard")
    assert not wait_for_turn(second, store, 1, lambda: None, lambda: second.requested_stop is not None)
