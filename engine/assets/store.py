"""The cache folder: a file or folder in it is complete or absent, and is made by one process at a time.

Knows locks, scratch folders and the final rename. Does not know what is made.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from engine.assets.progress import Progress
from engine.core.errors import AssetProblem
from engine.core.settings import Settings
from engine.core.text import Text

POLL_SECONDS = 0.2


def cache_dir() -> Path:
    return Settings.from_env().cache_dir


def make_once(target: Path, build: Callable[[Path], Path], title: Text, progress: Progress) -> Path:
    """Return `target`, made by `build` if it is not there yet.

    `build` gets an empty scratch folder on the same file system and returns the finished file or folder inside it, which
    is then renamed to `target`: an interrupted build leaves no half-made target. Other processes and threads that want the
    same target wait, and find it. The lock is the kernel's (flock), so that a killed process cannot leave it behind.

    Raises AssetProblem when the cache cannot be written, and whatever `build` raises.
    """
    if target.exists():
        return target
    key = f"{target.parent.name}-{target.name}"
    scratch_root = cache_dir() / "partial"
    lock_path = cache_dir() / "locks" / f"{key}.lock"
    for folder in (target.parent, scratch_root, lock_path.parent):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _not_writable(error) from error
    try:
        with _locked(lock_path, title, progress):
            if target.exists():
                return target
            # Whoever holds the lock is the only one who writes under this prefix: what lies there was left by a killed process.
            for leftover in scratch_root.glob(f"{key}.*"):
                shutil.rmtree(leftover)
            scratch = Path(tempfile.mkdtemp(prefix=f"{key}.", dir=scratch_root))
            try:
                os.rename(build(scratch), target)
            finally:
                shutil.rmtree(scratch)
    except PermissionError as error:
        raise _not_writable(error) from error
    except OSError as error:
        if error.errno == errno.EROFS:
            raise _not_writable(error) from error
        raise
    return target


def _not_writable(error: OSError) -> AssetProblem:
    return AssetProblem(
        "cache_not_writable",
        Text(
            f"The cache folder {cache_dir()} cannot be written ({error.strerror}).",
            f"无法写入缓存目录 {cache_dir()}（{error.strerror}）。",
        ),
        Text("Set TUNEBENCH_CACHE to a folder of yours.", "请用 TUNEBENCH_CACHE 指定一个可写的目录。"),
        path=str(cache_dir()),
    )


@contextmanager
def _locked(path: Path, title: Text, progress: Progress) -> Iterator[None]:
    lock = FileLock(path, thread_local=False)
    while True:
        try:
            lock.acquire(blocking=False)
            break
        except Timeout:
            progress(
                Text("Another process is preparing {title}; waiting", "另一个进程正在准备{title}，请稍候").format(
                    title=title
                ),
                0.0,
            )
            time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()
