"""The run directory: everything about one run, on disk, readable by anyone who has it.

    <runs>/<id>/manifest.json   what the run is and where it stands (one writer: its creator until launch, then its worker)
                config.yaml     the RunConfig as written
                about.json      the name and the note that its owner gave it (one writer: the page or the command line)
                request.json    what the owner asks of the worker while it runs (one writer: the page or the command line)
                heartbeat       written over by the living worker, with the memory that is left
                events.jsonl    what happened, one JSON object a line (one writer: the worker)
                train.log       the worker's stdout and stderr
                data/ checkpoints/ model/ report/ export/

Knows the layout, the states and how to tell a living run from a dead one. Does not know how a run is trained.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from engine.config import RunConfig
from engine.core.errors import RunProblem
from engine.core.text import Text
from engine.run_directory.identity import is_alive, on_this_host
from engine.run_directory.locks import turn_lock

# What is written: queued -> running -> completed | stopped | failed | interrupted, and back to queued by `resume`. What readers
# conclude: "stopping" while an owner's request waits for its worker, "interrupted" from a worker that is gone.
STATES = ("queued", "running", "stopping", "completed", "stopped", "failed", "interrupted")
ACTIVE = ("queued", "running", "stopping")
START_SECONDS = 60.0  # from the creation of a run to the first sign of its worker
STALE_SECONDS = (
    60.0  # without a heartbeat, when the worker's process cannot be looked at (another machine or container)
)
TRASH = ".trash-"
_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")


@dataclass
class Manifest:
    """What a run is and where it stands. Times are Unix seconds. `process` pins the worker down: pid, its start, host."""

    id: str
    task: str
    name: str = ""
    owner: str = ""
    state: str = "queued"
    created: float = 0.0
    queued: float = 0.0  # when it joined the queue: at its creation, and again at each resumption
    attempt: int = 1
    started: float | None = None
    finished: float | None = None
    process: dict[str, Any] | None = None
    error: dict[str, Any] | None = None  # UserError.to_dict()
    headline: dict[str, Any] | None = None  # {"metric", "value", "low", "high"}
    model: str = ""
    facts: dict[str, Any] = field(default_factory=dict)  # resolved settings, device and its reason, versions
    parent: str = ""  # id of the run that this one continues, retrains or varies; empty for a run of its own
    extra: dict[str, Any] = field(default_factory=dict)  # fields that a newer version wrote: kept, and written back

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Manifest:
        """The inverse of `to_dict`. Fields that this version does not know are kept in `extra`."""
        known = {f.name for f in fields(cls)} - {"extra"}
        return cls(
            **{key: value for key, value in values.items() if key in known},
            extra={key: value for key, value in values.items() if key not in known},
        )

    def to_dict(self) -> dict[str, Any]:
        values = asdict(self)
        return values | values.pop("extra")


class Run:
    """One run directory. Cheap to make; every property reads the disk anew."""

    def __init__(self, directory: Path):
        self.directory = directory

    @property
    def id(self) -> str:
        return self.directory.name

    def path(self, *parts: str) -> Path:
        """A path inside the run. The parts are ours, never a person's."""
        return self.directory.joinpath(*parts)

    @property
    def config(self) -> RunConfig:
        return RunConfig.load(self.path("config.yaml"))

    @property
    def manifest(self) -> Manifest:
        """The manifest as last written, with the state that follows from its worker and its owner's request (see STATES)."""
        manifest = self._written()
        if manifest.state not in ACTIVE:
            return manifest
        # A queued run without a process is one whose worker is just starting; give that a while, on a clock that may jump.
        starting = manifest.state == "queued" and manifest.process is None
        starting = starting and abs(time.time() - (manifest.queued or manifest.created)) < START_SECONDS
        if not starting and not self._worker_alive(manifest):
            # A worker writes how its run ended and then goes: what was read before it was seen gone may be older than that.
            if self._written() != manifest:
                return self.manifest
            manifest.state = "interrupted"
        elif self.requested_stop:
            manifest.state = "stopping"
        return manifest

    def _written(self) -> Manifest:
        return Manifest.from_dict(json.loads(self.path("manifest.json").read_text(encoding="utf-8")))

    @property
    def state(self) -> str:
        return self.manifest.state

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest in one step: a reader sees the old one or the new one, whole."""
        write_atomically(self.path("manifest.json"), json.dumps(manifest.to_dict(), ensure_ascii=False, indent=1))

    def update(self, **changes: Any) -> Manifest:
        """Change fields of the manifest as it stands on disk. Only for its one writer."""
        manifest = replace(self._written(), **changes)
        self.write_manifest(manifest)
        return manifest

    def request(self, action: str) -> None:
        """Ask the worker to stop: `keep` the best model and report on it, or `discard`."""
        if action not in ("keep", "discard"):
            raise ValueError(f"a run can be asked to keep or discard, not {action!r}")
        write_atomically(self.path("request.json"), json.dumps({"stop": action, "time": time.time()}))

    @property
    def requested_stop(self) -> str | None:
        """`keep`, `discard`, or None without a request."""
        try:
            return json.loads(self.path("request.json").read_text(encoding="utf-8"))["stop"]
        except FileNotFoundError:
            return None

    def events(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """The events that begin at byte `offset`, and the offset for the next call. A half-written last line waits."""
        try:
            with self.path("events.jsonl").open("rb") as file:
                file.seek(offset)
                chunk = file.read()
        except FileNotFoundError:
            return [], offset
        end = chunk.rfind(b"\n") + 1
        events = [event for line in chunk[:end].splitlines() if (event := _event(line)) is not None]
        return events, offset + end

    def log_tail(self, characters: int = 4000) -> str:
        try:
            text = self.path("train.log").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return text[-characters:]

    @property
    def vital_signs(self) -> dict[str, Any]:
        """What the worker wrote at its last heartbeat; empty before the first."""
        try:
            return json.loads(self.path("heartbeat").read_text(encoding="utf-8") or "{}")
        except (FileNotFoundError, ValueError):
            return {}

    def _worker_alive(self, manifest: Manifest) -> bool:
        process = manifest.process
        if process is None:
            return False
        if on_this_host(process):
            return is_alive(process)
        try:
            return time.time() - self.path("heartbeat").stat().st_mtime < STALE_SECONDS
        except FileNotFoundError:
            return False


class Store:
    """All runs below one directory."""

    def __init__(self, directory: Path):
        self.directory = directory

    def create(self, config: RunConfig, owner: str = "", parent: str = "") -> Run:
        """A new queued run; `parent` is the id of the run it comes from. Raises ConfigProblem for a bad configuration, RunProblem where no run can be written."""
        config.check()
        now = time.time()
        run_id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(4)}"
        run = Run(self.directory / run_id)
        try:
            run.directory.mkdir(parents=True)
            run.path("config.yaml").write_text(config.to_yaml(), encoding="utf-8")
            run.write_manifest(
                Manifest(
                    id=run_id,
                    task=config.task,
                    name=config.name,
                    owner=owner,
                    created=now,
                    queued=now,
                    model=config.model.id,
                    parent=parent,
                )
            )
        except OSError as error:
            raise self._unwritable(error) from error
        return run

    def require_writable(self) -> None:
        """RunProblem where no run can be written."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with (self.directory / ".turn.lock").open("a"):
                return
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> RunProblem:
        reason = error.strerror or str(error)
        return RunProblem(
            "unwritable_runs",
            Text(
                f"Cannot write runs to {self.directory}: {reason}.",
                f"无法在 {self.directory} 中保存运行：{reason}。",
            ),
            Text(
                "Choose another directory with --runs-dir or TUNEBENCH_RUNS.",
                "请用 --runs-dir 或 TUNEBENCH_RUNS 指定其他目录。",
            ),
            directory=str(self.directory),
        )

    def get(self, run_id: str) -> Run:
        """The run with this id. Raises RunProblem for what is no id of ours or is not there: an id is never a path."""
        if (
            isinstance(run_id, str)
            and _ID.fullmatch(run_id)
            and self.directory.joinpath(run_id, "manifest.json").is_file()
        ):
            return Run(self.directory / run_id)
        raise RunProblem(
            "no_such_run",
            Text(f"There is no run {str(run_id)[:40]!r}.", f"没有名为 {str(run_id)[:40]!r} 的运行。"),
            Text("The run list shows those that exist.", "请在运行列表中查看现有的运行。"),
        )

    def __iter__(self) -> Iterator[Run]:
        """Newest first."""
        if not self.directory.is_dir():
            return
        for directory in sorted(self.directory.iterdir(), key=lambda d: d.name, reverse=True):
            if _ID.fullmatch(directory.name) and directory.joinpath("manifest.json").is_file():
                yield Run(directory)

    def delete(self, run_id: str) -> None:
        """Remove a run that is not active (RunProblem). It is gone in one step; a crash leaves a `.trash-` folder at most."""
        run = self.get(run_id)
        trash = self.directory / f"{TRASH}{run_id}-{secrets.token_hex(3)}"
        with turn_lock(self.directory):
            if run.state in ACTIVE:
                raise RunProblem(
                    "run_is_active",
                    Text("This run is still active.", "该运行仍在进行。"),
                    Text("Stop it before deleting it.", "请先停止再删除。"),
                )
            run.directory.rename(trash)
        shutil.rmtree(trash)


def open_run(path: str | Path) -> Run:
    """A run by its directory, for the command line and Python, where paths are the person's own."""
    directory = Path(path)
    if not directory.joinpath("manifest.json").is_file():
        raise RunProblem(
            "no_such_run",
            Text(f"{path} is no run directory: it has no manifest.json.", f"{path} 不是运行目录：缺少 manifest.json。"),
            Text("`python -m engine runs` lists the runs.", "可用 `python -m engine runs` 查看运行列表。"),
        )
    return Run(directory.absolute())


def _event(line: bytes) -> dict[str, Any] | None:
    """An event, or None for a line that a power cut left half on the disk."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "type" in event else None


def write_atomically(path: Path, text: str) -> None:
    """Write by rename, with the bytes on the disk before the name."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(3)}")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
