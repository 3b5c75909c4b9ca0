"""A tuned model as a repository on the hub: first the plan (which files, how large, which card), then the push.

The model is at the root, where pipelines look for it; the report is not uploaded, because it quotes rows of the test set. New
repositories are private. A token is passed to the hub's client for one push and stored nowhere. Knows the hub's API; does not know
where the token came from.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

from engine.core.text import Text
from engine.export.card import model_card
from engine.export.hub_errors import user_errors_from_hub
from engine.export.package import requirement_lines, write_model, write_program
from engine.export.repo_name import check_repo_name
from engine.export.source import ExportSource, Progress, no_progress
from engine.export.space import write_space
from engine.run_directory.store import Run


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push would upload. `folder` exists while the plan is being used (`upload_plan`)."""

    repo: str
    kind: str  # "model" or "space"
    private: bool
    folder: Path
    files: list[tuple[str, int]]  # path in the repository, bytes
    card: str

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self.files)


@contextmanager
def upload_plan(
    run: Run,
    repo: str,
    *,
    space: bool = False,
    private: bool = True,
    onnx: bool = False,
    progress: Progress = no_progress,
) -> Iterator[Plan]:
    """Everything as it would be uploaded, in a temporary folder. ConfigProblem for a name that the hub does not accept."""
    source = ExportSource.of(run)
    check_repo_name(repo)
    run.path("export").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=run.path("export"), prefix=".packing-") as scratch:
        folder = Path(scratch) / "repository"
        if space:
            write_space(source, folder, progress)
        else:
            progress(Text("Writing the model", "正在写出模型"))
            write_repository(source, folder, repo, onnx, progress)
        files = sorted(
            (str(path.relative_to(folder)), path.stat().st_size) for path in folder.rglob("*") if path.is_file()
        )
        card = (folder / "README.md").read_text(encoding="utf-8")
        yield Plan(repo, "space" if space else "model", private, folder, files, card)


def write_repository(source: ExportSource, folder: Path, repo: str, onnx: bool, progress: Progress) -> None:
    """The model at the root with the program beside it, and its card."""
    if onnx:
        source.check_onnx()
    write_model(source, folder)
    write_program(source, folder)
    measured = None
    if onnx:
        from engine.export.onnx import write_onnx

        measured = write_onnx(source, folder / "onnx", progress)
    (folder / "requirements.txt").write_text("\n".join(requirement_lines(source)) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(model_card(source, "hub", measured, repo), encoding="utf-8")


def push(plan: Plan, token: str | None, progress: Progress = no_progress) -> str:
    """Create the repository where there is none, upload the plan's folder as one commit, and return the address.

    An existing repository keeps its visibility. `token` None uses the environment's (HF_TOKEN, or `hf auth login`).
    RunFailure that explains what the hub refused, never with the token.
    """
    api = HfApi(token=token or None)
    with user_errors_from_hub(plan.repo):
        progress(Text(f"Creating {plan.repo}", f"正在创建 {plan.repo}"))
        sdk: dict[str, Any] = {"space_sdk": "gradio"} if plan.kind == "space" else {}
        address = api.create_repo(plan.repo, repo_type=plan.kind, private=plan.private, exist_ok=True, **sdk)
        progress(Text(f"Uploading {plan.bytes / 1e6:.1f} MB", f"正在上传 {plan.bytes / 1e6:.1f} MB"))
        api.upload_folder(
            repo_id=address.repo_id,
            repo_type=plan.kind,
            folder_path=plan.folder,
            commit_message="Upload a model tuned with Tunebench",
        )
    return str(address)
