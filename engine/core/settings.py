"""What this deployment allows: directories, limits, and whether strangers use it.

Knows the environment variables and their defaults. Does not know who asks: ownership is checked where it matters.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.core.errors import ConfigProblem
from engine.core.text import Text

SPACE_STORAGE = Path("/data")  # where a Hugging Face Space mounts its storage; its own disk is new at every restart


@dataclass(frozen=True, slots=True)
class Settings:
    """One deployment. A private one (the default) is for the person who started it; a public one has limits."""

    cache_dir: Path  # embedded models and data, fetched once
    runs_dir: Path  # every run; never below the working directory, from which Gradio may serve files
    public: bool = False
    max_upload_mb: int = 200
    max_rows: int = 1_000_000
    max_epochs: float = 1000
    max_model_parameters: int = 100_000_000_000
    max_seconds: int = 30 * 24 * 3600  # wall clock of one run, its waiting not counted
    max_running: int = 1  # runs that compute at the same time; two on one machine starve each other
    max_queued: int = 100  # running and waiting; each waiting run is a small process
    max_per_visitor: int = 0  # running and waiting runs of one visitor; 0: no limit
    disk_quota_mb: int = 0  # of all runs and uploads together; 0: what the disk has
    keep_days: int = 0  # after which ended runs are removed; 0: kept until deleted
    keep_upload_days: int = 30  # for uploads that no run uses
    checkpoint_seconds: int = 60  # between checkpoints; longer where one takes more than a twenty-fifth of that
    sliced: bool = False  # ZeroGPU: there is a GPU only inside a function that the page calls, for a minute or two
    spare_worker: bool = True  # the page keeps a worker ready for the next run, half a gigabyte that saves seconds
    hang_seconds: int = 1800  # without a sign of life after which a worker is taken for hung

    @property
    def uploads_dir(self) -> Path:
        """The files that visitors bring, beside the runs."""
        return self.runs_dir.parent / "uploads"

    @property
    def lasting(self) -> bool:
        """Whether runs outlive a restart: everywhere but on a Space without storage of its own."""
        return not os.environ.get("SPACE_ID") or self.runs_dir.is_relative_to(SPACE_STORAGE)

    @classmethod
    def from_env(cls, **overrides: object) -> Settings:
        """Read `TUNEBENCH_*`. Raises ConfigProblem for a value that is not a number where one is needed."""
        home = Path.home()
        cache_root = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
        settings = cls(
            cache_dir=Path(os.environ.get("TUNEBENCH_CACHE") or cache_root / "tunebench").expanduser().absolute(),
            runs_dir=Path(os.environ.get("TUNEBENCH_RUNS") or _kept(home) / "runs").expanduser().absolute(),
        )
        if _public():
            settings = replace(
                settings,
                public=True,
                max_upload_mb=25,
                max_rows=50_000,
                max_epochs=10,
                max_model_parameters=400_000_000,
                max_seconds=30 * 60,
                max_queued=20,
                max_per_visitor=2,
                disk_quota_mb=20_000,
                keep_days=7,
                keep_upload_days=1,
            )
        numbers = {
            "max_upload_mb": "TUNEBENCH_MAX_UPLOAD_MB",
            "max_rows": "TUNEBENCH_MAX_ROWS",
            "max_epochs": "TUNEBENCH_MAX_EPOCHS",
            "max_model_parameters": "TUNEBENCH_MAX_MODEL_PARAMETERS",
            "max_seconds": "TUNEBENCH_MAX_SECONDS",
            "max_running": "TUNEBENCH_MAX_RUNNING",
            "max_queued": "TUNEBENCH_MAX_QUEUED",
            "max_per_visitor": "TUNEBENCH_MAX_PER_VISITOR",
            "disk_quota_mb": "TUNEBENCH_DISK_QUOTA_MB",
            "keep_days": "TUNEBENCH_KEEP_DAYS",
            "checkpoint_seconds": "TUNEBENCH_CHECKPOINT_SECONDS",
            "hang_seconds": "TUNEBENCH_HANG_SECONDS",
        }
        changes: dict[str, Any] = {}
        for field, variable in numbers.items():
            value = os.environ.get(variable)
            if value:
                changes[field] = _positive_integer(variable, value)
        changes["spare_worker"] = os.environ.get("TUNEBENCH_SPARE_WORKER", "").lower() not in (
            "0",
            "false",
            "no",
            "off",
        )
        changes["sliced"] = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
        return replace(settings, **{**changes, **overrides})


def _kept(home: Path) -> Path:
    """Where runs are kept by default: on a Space the storage it mounts, if it has any."""
    if os.environ.get("SPACE_ID") and os.access(SPACE_STORAGE, os.W_OK):
        return SPACE_STORAGE / "tunebench"
    return home / ".tunebench"


def _public() -> bool:
    """`TUNEBENCH_PUBLIC` decides; unset, a Hugging Face Space is public and everything else is private."""
    value = os.environ.get("TUNEBENCH_PUBLIC", "").lower()
    return value in ("1", "true", "yes", "on") if value else bool(os.environ.get("SPACE_ID"))


def _positive_integer(variable: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) == 0:
        raise ConfigProblem(
            "bad_setting",
            Text(
                f"The environment variable {variable} is {value!r}, which is no positive whole number.",
                f"环境变量 {variable} 的值 {value!r} 不是正整数。",
            ),
            Text("Correct it or remove it.", "请改正或删除该变量。"),
            variable=variable,
        )
    return int(value)


def offline() -> bool:
    """Whether the hub must not be asked (`HF_HUB_OFFLINE`, a supported way to run)."""
    return os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
