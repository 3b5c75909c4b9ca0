"""Checkpoints are whole or not there. Run: python -m pytest tests/engine/training/test_checkpoint.py"""

from __future__ import annotations

import errno
import json

import pytest
import torch

from engine.training.checkpoint_files import Checkpoints
from engine.training.events import EventLog


@pytest.fixture
def checkpoints(tmp_path) -> Checkpoints:
    return Checkpoints(tmp_path / "checkpoints", seconds=10)


def save(checkpoints: Checkpoints, step: int, best: str = "") -> None:
    weights = {"w": torch.full((3,), float(step))}
    checkpoints.save(step, weights, {"t": torch.ones(1)}, {"step": step}, best, lambda folder: None)


def names(checkpoints: Checkpoints) -> list[str]:
    return sorted(path.name for path in checkpoints.directory.iterdir())


def test_the_last_two_and_the_best_they_refer_to_are_kept(checkpoints):
    first = checkpoints.save_best(1, {"w": torch.ones(1)})
    for step in (2, 3, 4):
        save(checkpoints, step, first)
    second = checkpoints.save_best(5, {"w": torch.ones(1) * 5})
    assert names(checkpoints) == [first, second, "step-00000003", "step-00000004"]
    save(checkpoints, 6, second)
    save(checkpoints, 7, second)
    assert names(checkpoints) == [second, "step-00000006", "step-00000007"]
    result, broken = checkpoints.newest()
    assert (result.step, broken) == (7, [])
    assert result.weights()["w"].tolist() == [7.0] * 3
    assert result.best()["w"].tolist() == [5.0]
    checkpoints.clear()
    assert checkpoints.newest() == (None, [])


@pytest.mark.parametrize("file", ["weights.safetensors", "tensors.safetensors", "state.json", "complete.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_one_falls_back_to_the_one_before(checkpoints, file, damage):
    for step in (1, 2):
        save(checkpoints, step)
    path = checkpoints.directory / "step-00000002" / file
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 255
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.unlink()
    result, broken = checkpoints.newest()
    assert result.step == 1
    assert [p.name for p in broken] == ["step-00000002"]


def test_a_damaged_best_is_noticed_too(checkpoints):
    save(checkpoints, 1)
    best = checkpoints.save_best(2, {"w": torch.ones(4)})
    save(checkpoints, 3, best)
    (checkpoints.directory / best).write_bytes(b"")
    result, broken = checkpoints.newest()
    assert result.step == 1 and len(broken) == 1


def test_a_name_in_a_checkpoint_is_never_a_path(checkpoints, tmp_path):
    save(checkpoints, 1)
    outside = tmp_path / "outside.safetensors"
    outside.write_bytes(b"secret")
    path = checkpoints.directory / "step-00000001" / "complete.json"
    complete = json.loads(path.read_text())
    complete["best"] = {"name": "../outside.safetensors", "sha256": "x"}
    path.write_text(json.dumps(complete))
    assert checkpoints.newest()[0] is None


def test_a_disk_that_fills_up_leaves_what_was_there(checkpoints, monkeypatch):
    save(checkpoints, 1)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("engine.training.checkpoint_files.save_file", full)
        for attempt in (lambda: save(checkpoints, 2), lambda: checkpoints.save_best(2, {})):
            with pytest.raises(OSError, match="No space"):
                attempt()
    assert names(checkpoints) == ["step-00000001"]
    assert checkpoints.newest()[0].step == 1


def test_what_a_killed_worker_left_half_written_is_no_checkpoint_and_goes(checkpoints):
    save(checkpoints, 1)
    half = checkpoints.directory / ".new-step-00000002"
    half.mkdir()
    (half / "complete.json").write_text("{}")
    (checkpoints.directory / ".new-best-00000002.safetensors").write_bytes(b"x")
    assert checkpoints.newest()[0].step == 1
    save(checkpoints, 3)
    assert names(checkpoints) == ["step-00000001", "step-00000003"]


def test_checkpoints_cost_a_twenty_fifth_of_the_time_at_most(tmp_path):
    now = [0.0]
    checkpoints = Checkpoints(tmp_path / "c", seconds=10, clock=lambda: now[0])
    assert not checkpoints.due()
    now[0] = 10.0
    assert checkpoints.due()

    def slow(folder) -> None:
        now[0] += 2.0

    checkpoints.save(1, {"w": torch.ones(1)}, {}, {}, "", slow)
    now[0] += 49.0
    assert not checkpoints.due()
    now[0] += 1.0
    assert checkpoints.due()


def test_a_diary_cut_off_within_a_line_goes_on_with_the_next(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"type": "a", "elapsed": 5.0}\n{"type": "b", "elap')
    log = EventLog(path)
    log.emit("c", token="hf_" + "a" * 30)
    log.close()
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert (first["type"], second["type"]) == ("a", "c")
    assert 5.0 <= second["elapsed"] < 6.0
    assert "aaaa" not in second["token"]
