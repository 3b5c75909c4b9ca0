"""A tuned model as a repository on the hub: first the plan (which files, how large, which card), then the push.

The model lies at the root, where pipelines look for it; the report stays here, because it quotes rows of the test set. New
repositories are private. A token is handed to the hub's client for one push and kept nowhere. Knows the hub's API; does not know
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
from engine.export.explained import explained
from engine.export.names import check_name
from engine.export.package import Tell, check_onnx, needed, write_model, write_program
from engine.export.source import ExportSource
from engine.export.space import write_space
from engine.run_directory.store import Run


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push would upload. `folder` exists while the plan is being used (`planned`)."""

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
def planned(
    run: Run, repo: str, *, space: bool = False, private: bool = True, onnx: bool = False, tell: Tell | None = None
) -> Iterator[Plan]:
    """Everything as it would be uploaded, in a folder that is gone afterwards. ConfigProblem for a name no hub would take."""
    leaving = ExportSource.of(run)
    check_name(repo)
    say = tell or (lambda text: None)
    run.path("export").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=run.path("export"), prefix=".packing-") as scratch:
        folder = Path(scratch) / "repository"
        if space:
            write_space(leaving, folder, tell)
        else:
            say(Text("Writing the model", "正在写出模型"))
            write_repository(leaving, folder, repo, onnx, say)
        files = sorted(
            (str(path.relative_to(folder)), path.stat().st_size) for path in folder.rglob("*") if path.is_file()
        )
        card = (folder / "README.md").read_text(encoding="utf-8")
        yield Plan(repo, "space" if space else "model", private, folder, files, card)


def write_repository(leaving: ExportSource, folder: Path, repo: str, onnx: bool, tell: Tell) -> None:
    """The model at the root with the program beside it, and its card."""
    if onnx:
        check_onnx(leaving)
    write_model(leaving, folder)
    write_program(leaving, folder)
    measured = None
    if onnx:
        from engine.export.onnx import write_onnx

        measured = write_onnx(leaving, folder / "onnx", tell)
    (folder / "requirements.txt").write_text("\n".join(needed(leaving)) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(model_card(leaving, "hub", measured, repo), encoding="utf-8")


def push(plan: Plan, token: str | None, tell: Tell | None = None) -> str:
    """Create the repository where there is none, upload the plan's folder as one commit, and return the address.

    An existing repository keeps its visibility. `token` None uses the environment's (HF_TOKEN, or `hf auth login`).
    RunFailure with the hub's own words, never with the token.
    """
    say = tell or (lambda text: None)
    api = HfApi(token=token or None)
    with explained(plan.repo):
        say(Text(f"Creating {plan.repo}", f"正在创建 {plan.repo}"))
        sdk: dict[str, Any] = {"space_sdk": "gradio"} if plan.kind == "space" else {}
        address = api.create_repo(plan.repo, repo_type=plan.kind, private=plan.private, exist_ok=True, **sdk)
        say(Text(f"Uploading {plan.bytes / 1e6:.1f} MB", f"正在上传 {plan.bytes / 1e6:.1f} MB"))
        api.upload_folder(
            repo_id=address.repo_id,
            repo_type=plan.kind,
            folder_path=plan.folder,
            commit_message="Upload a model tuned with Tunebench",
        )
    return str(address)
