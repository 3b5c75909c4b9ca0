"""Where a resumed run goes on: the newest complete checkpoint, and the notice about it. Knows checkpoints and attempts; does not know tensors."""

from __future__ import annotations

import shutil

from engine.core.text import Text
from engine.run_directory.store import Run
from engine.training.checkpoint_files import Checkpoint, Checkpoints
from engine.training.events import EventLog


def last_checkpoint(run: Run, checkpoints: Checkpoints, events: EventLog) -> Checkpoint | None:
    """The last complete checkpoint of an earlier attempt; None, and nothing left in the folder, where training begins anew."""
    attempt = run.manifest.attempt
    if attempt == 1:
        checkpoints.clear()
        return None
    checkpoint, broken = checkpoints.newest()
    for directory in broken:
        step = int(directory.name.rpartition("-")[2])
        events.notice(
            "broken_checkpoint",
            Text(
                f"The checkpoint of step {step} is damaged and is not used.", f"第 {step} 步的检查点已损坏，不予使用。"
            ),
            "warning",
        )
        shutil.rmtree(directory)
    events.emit("resumed", step=checkpoint.step if checkpoint else 0, attempt=attempt)
    if checkpoint is None:
        checkpoints.clear()
        events.notice(
            "resumed",
            Text("Resumed from the start: there was no checkpoint to go on from.", "没有可用的检查点，从头开始训练。"),
        )
    else:
        events.notice(
            "resumed",
            Text(
                f"Resumed from the checkpoint of step {checkpoint.step}.",
                f"已从第 {checkpoint.step} 步的检查点继续训练。",
            ),
        )
    return checkpoint
