"""Starting and resuming a run: the checks that page, command line and Python share.

Knows the order of the checks, and that admission and creation happen under one lock. Does not know permissions.
"""

from __future__ import annotations

import time

from engine.config import RunConfig
from engine.core.errors import RunProblem
from engine.core.settings import Settings
from engine.core.text import Text
from engine.models.catalog import entry_of
from engine.run_directory import disk
from engine.run_directory.limits import check_limits
from engine.run_directory.locks import turn_lock
from engine.run_directory.queue import admit
from engine.run_directory.store import ACTIVE, Manifest, Run, Store
from engine.runs.process import Worker, start_worker

# Codes of errors that the same run would meet again: input or settings have to change, in a clone of the run.
HOPELESS = ("diverged", "save_mismatch", "time_limit")


def launch(
    config: RunConfig, store: Store, settings: Settings, owner: str = "", parent: str = ""
) -> tuple[Run, Worker]:
    """Create a run and start its worker, which waits for its turn. `parent` is the id of the run it comes from, if any.

    Raises ConfigProblem for a wrong or not allowed configuration, RunProblem where the queue is full or no run can be
    written, RunFailure where the disk has no room.
    """
    config.check()
    check_limits(config, settings)
    store.require_writable()
    disk.require_room(settings, _least_bytes(config))
    with turn_lock(store.directory):
        admit(store, settings, owner)
        run = store.create(config, owner, parent)
    return run, start_worker(run, settings)


def resumable(run: Run, manifest: Manifest | None = None) -> bool:
    """Whether `resume` accepts the run: it ended early, and not by an error that would end it again."""
    manifest = manifest or run.manifest
    if manifest.state in ("interrupted", "stopped"):
        return True
    if manifest.state == "failed":
        error = manifest.error or {}
        return error.get("kind") in ("RunFailure", "AssetProblem") and error.get("code") not in HOPELESS
    # A run stopped with its best model kept still has its checkpoint.
    kept = manifest.state == "completed" and run.requested_stop == "keep"
    return kept and any(run.path("checkpoints").glob("step-*"))


def resume(run: Run, store: Store, settings: Settings) -> Worker:
    """Queue a run again; its worker goes on from the last complete checkpoint. RunProblem when it cannot be resumed."""
    with turn_lock(store.directory):
        manifest = run.manifest
        if manifest.state in ACTIVE:
            raise RunProblem(
                "run_is_active",
                Text("This run is still active.", "该运行仍在进行。"),
                Text("There is nothing to resume.", "无需继续。"),
            )
        if not resumable(run, manifest):
            raise RunProblem(
                "not_resumable",
                Text("This run has nothing left to do.", "该运行没有可以继续的内容。")
                if manifest.state == "completed"
                else Text("This run would fail again in the same way.", "该运行再次执行仍会以同样的方式失败。"),
                Text("Start a new one from its settings.", "请用它的设置新建运行。"),
            )
        admit(store, settings, manifest.owner)
        run.path("request.json").unlink(missing_ok=True)
        run.update(
            state="queued",
            queued=time.time(),
            process=None,
            error=None,
            finished=None,
            attempt=manifest.attempt + 1,
        )
    return start_worker(run, settings)


def _least_bytes(config: RunConfig) -> int:
    """Bytes that a run needs, estimated before its model is loaded; the worker estimates again when it is."""
    entry = entry_of(config.model.id)
    if entry is None:
        return disk.SPARE
    adapter = config.method.name == "lora"
    # Of LoRA and a head alone only the order of magnitude is known.
    trainable = entry.parameters if config.method.name == "full" else entry.parameters // 20
    return disk.estimate(entry.parameters, trainable, adapter)
