"""The probable cause of the death of a worker that reported none, from its heartbeat, the last boot and its log.

Knows heartbeats, boots and logs. Does not know how a run is shown.
"""

from __future__ import annotations

from engine.core.errors import RunFailure, disk_full
from engine.core.text import Text
from engine.run_directory.identity import host
from engine.run_directory.store import Manifest, Run

# A worker whose last heartbeat saw less than this share of the memory left was most likely ended for it by the system.
SCARCE = 0.05


def cause_of(run: Run, manifest: Manifest) -> RunFailure:
    """The most likely reason for an interruption, and the way on."""
    hint = Text(
        "Resume it: it goes on from its last checkpoint, or from the start where there is none.",
        "可以继续该运行：它会从最近的检查点接着训练；没有检查点时从头开始。",
    )
    process = manifest.process
    signs = run.vital_signs
    if process is None:
        why = Text("Its worker never started.", "它的工作进程没有启动。")
    elif process["host"] != host():
        same = process["host"].partition("@")[0] == host().partition("@")[0]
        why = (
            Text("The machine was restarted while it went on.", "运行期间机器重启了。")
            if same
            else Text(
                "It ran in another machine or container, which gives no sign of life any more.",
                "它在另一台机器或容器中运行，那里已没有任何动静。",
            )
        )
    elif "No space left on device" in run.log_tail():
        return disk_full()
    elif signs.get("total_mb") and signs["available_mb"] < SCARCE * signs["total_mb"]:
        why = Text(
            f"Its process is gone, most likely because memory ran out: {signs['available_mb']} MB were left.",
            f"它的进程已消失，很可能是内存耗尽：当时只剩 {signs['available_mb']} MB。",
        )
        hint = Text(
            "Start it with a smaller batch size, a shorter maximum length or a smaller model; or free memory and resume it.",
            "请减小批大小、缩短最大长度或换用更小的模型重新开始；也可以腾出内存后继续该运行。",
        )
    else:
        why = Text(
            "Its process is gone: it was ended from outside, or crashed.", "它的进程已消失：被外部终止，或者崩溃了。"
        )
    return RunFailure("interrupted", why, hint, run=run.id)
