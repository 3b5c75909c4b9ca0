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

import httpx2  # what huggingface_hub itself asks with
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

from engine.errors import RunFailure
from engine.export.card import model_card
from engine.export.leaving import Leaving, pinned
from engine.export.names import check_name
from engine.export.package import Tell, write_model, write_program
from engine.export.space import write_space
from engine.runs.store import Run
from engine.text import Text


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
    leaving = Leaving.of(run)
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


def write_repository(leaving: Leaving, folder: Path, repo: str, onnx: bool, tell: Tell) -> None:
    """The model at the root with the program beside it, and its card."""
    write_model(leaving, folder)
    write_program(leaving, folder)
    measured = None
    if onnx:
        from engine.export.onnx import write_onnx

        measured = write_onnx(leaving, folder / "onnx", tell)
    lines = pinned("torch", "transformers", "tokenizers", "safetensors", "numpy")
    (folder / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
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


@contextmanager
def explained(repo: str) -> Iterator[None]:
    """What the hub refused, in words that say what to do."""
    try:
        yield
    except LocalTokenNotFoundError as error:
        raise _no_token() from error
    except OfflineModeIsEnabled as error:
        raise RunFailure(
            "hub_offline",
            Text("The hub is not asked: HF_HUB_OFFLINE is set.", "已设置 HF_HUB_OFFLINE，不会访问 Hub。"),
            Text("Unset it, or take the zip and push it from elsewhere.", "请取消该设置，或下载 zip 后在别处推送。"),
        ) from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status == 401:
            raise _no_token() from error
        if status == 403:
            raise RunFailure(
                "hub_forbidden",
                Text(f"The token may not write to {repo}.", f"该令牌无权写入 {repo}。"),
                Text(
                    "Use one with write access to it (a fine-grained token needs “contribute” or “write”).",
                    "请使用对其有写权限的令牌（细粒度令牌需要 contribute 或 write 权限）。",
                ),
                repo=repo,
            ) from error
        raise RunFailure(
            "hub_error",
            Text(f"The hub did not take {repo} (HTTP {status}).", f"Hub 没有接受 {repo}（HTTP {status}）。"),
            Text("Try again later, or take the zip.", "请稍后重试，或下载 zip。"),
            repo=repo,
        ) from error
    except (httpx2.HTTPError, ConnectionError) as error:
        raise RunFailure(
            "hub_unreachable",
            Text("The hub cannot be reached from here.", "无法从这里连接到 Hub。"),
            Text("Check the network or HF_ENDPOINT, or take the zip.", "请检查网络或 HF_ENDPOINT，也可以下载 zip。"),
        ) from error


def _no_token() -> RunFailure:
    return RunFailure(
        "hub_token",
        Text("The hub did not accept the token, or none was given.", "未提供访问令牌，或 Hub 不接受该令牌。"),
        Text(
            "Give a token with write access (huggingface.co/settings/tokens).",
            "请提供有写权限的令牌（huggingface.co/settings/tokens）。",
        ),
    )
