"""The cache: complete or absent, made once, whoever asks and whatever is interrupted.

Run: python -m pytest tests/engine/assets/test_asset_store.py
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.assets.progress import part, silent
from engine.assets.store import make_once
from engine.core.errors import AssetProblem
from engine.core.text import Text

ROOT = Path(__file__).parents[3]
TITLE = Text("a thing", "某物")

# A process that makes cache/things/thing.txt and notes that it did; it hangs in the middle when told to.
MAKER = """
import sys, time
from pathlib import Path
from engine.assets.store import cache_dir, make_once
from engine.core.text import Text

def build(scratch):
    with open(cache_dir() / "builds", "a") as log:
        log.write("build\\n")
    (scratch / "thing.txt").write_text("half")
    (cache_dir() / "started").touch()
    time.sleep(float(sys.argv[1]))
    (scratch / "thing.txt").write_text("whole")
    return scratch / "thing.txt"

waited = []
path = make_once(cache_dir() / "things" / "thing.txt", build, Text("a thing", "某物"), lambda what, share: waited.append(what.en))
print(path.read_text(), "waited" if waited else "made")
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def start(seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", MAKER, str(seconds)], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=dict(os.environ)
    )


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


def write(text: str):
    def build(scratch: Path) -> Path:
        (scratch / "new.txt").write_text(text)
        return scratch / "new.txt"

    return build


def test_it_is_made_once(cache: Path) -> None:
    target = cache / "things" / "thing.txt"
    assert make_once(target, write("first"), TITLE, silent) == target
    make_once(target, write("second"), TITLE, silent)
    assert target.read_text() == "first"


def test_a_failed_build_leaves_nothing(cache: Path) -> None:
    def build(scratch: Path) -> Path:
        (scratch / "half.txt").write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make_once(cache / "things" / "thing.txt", build, TITLE, silent)
    assert list((cache / "things").iterdir()) == []
    assert list((cache / "partial").iterdir()) == []
    make_once(cache / "things" / "thing.txt", write("whole"), TITLE, silent)


def test_of_two_processes_one_makes_it_and_the_other_waits(cache: Path) -> None:
    makers = [start(0.6), start(0.6)]
    answers = sorted(maker.communicate(timeout=60)[0].strip() for maker in makers)
    assert [maker.returncode for maker in makers] == [0, 0]
    assert [answer.split()[0] for answer in answers] == ["whole", "whole"]
    assert (cache / "builds").read_text() == "build\n"


def test_a_killed_process_blocks_nobody_and_its_scraps_go(cache: Path) -> None:
    maker = start(60)
    wait_for(cache / "started")
    maker.send_signal(signal.SIGKILL)
    maker.wait()
    assert [path.name for path in (cache / "partial").glob("*/*")] == ["thing.txt"], "it was killed half-way"
    target = make_once(cache / "things" / "thing.txt", write("whole"), TITLE, silent)
    assert target.read_text() == "whole"
    assert list((cache / "partial").iterdir()) == []


@pytest.mark.parametrize("place", ["a file", "/proc/none"])
def test_a_cache_that_cannot_be_written_is_a_clear_problem(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    blocked = tmp_path / place
    monkeypatch.setenv("TUNEBENCH_CACHE", str(blocked))
    with pytest.raises(AssetProblem) as caught:
        make_once(blocked / "things" / "thing.txt", write("x"), TITLE, silent)
    assert caught.value.code == "cache_not_writable"
    assert "TUNEBENCH_CACHE" in caught.value.hint.en


def test_a_finished_thing_needs_no_writable_cache(cache: Path) -> None:
    target = make_once(cache / "things" / "thing.txt", write("whole"), TITLE, silent)
    (cache / "locks" / "things-thing.txt.lock").unlink()
    (cache / "locks").rmdir()
    (cache / "locks").touch()  # nothing can be locked any more
    assert make_once(target, write("again"), TITLE, silent).read_text() == "whole"


def test_part_maps_shares_into_its_piece() -> None:
    shares: list[float] = []
    inner = part(lambda what, share: shares.append(share), 0.5, 0.9)
    for share in (0.0, 0.5, 1.0, 7.0):
        inner(TITLE, share)
    assert shares == pytest.approx([0.5, 0.7, 0.9, 0.9])
