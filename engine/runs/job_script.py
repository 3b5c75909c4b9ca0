"""What a Hugging Face job does: fetch a run, train it, put the run directory back. Its packages are there already (`run_uv_job`).

This file travels alone: it imports nothing of the engine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

STAYS = ["checkpoints/*", ".*"]


def main(repo: str, api: Any = None) -> int:
    """Carry out the run of the data set repository `repo`; returns the worker's exit code."""
    hub = api or HfApi()
    work = Path(tempfile.mkdtemp(prefix="tunebench-"))
    hub.snapshot_download(repo_id=repo, repo_type="dataset", local_dir=work)
    [run] = (work / "run").iterdir()
    # The worker has no use for the token: what it does not have it cannot log.
    environment = {name: value for name, value in os.environ.items() if name != "HF_TOKEN"}
    environment["PYTHONPATH"] = str(work / "source")
    with run.joinpath("train.log").open("ab") as log:
        code = subprocess.call(
            [sys.executable, "-m", "engine.training.worker", str(run)],
            cwd=work / "source",
            env=environment,
            stdout=log,
            stderr=log,
        )
    sys.stdout.write(run.joinpath("train.log").read_text(encoding="utf-8", errors="replace")[-20_000:])
    # Also after a failure: the cause and the log are in it.
    hub.upload_folder(
        repo_id=repo, repo_type="dataset", folder_path=run, path_in_repo="result", ignore_patterns=STAYS,
        commit_message=f"Result of {run.name}",
    )  # fmt: skip
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
