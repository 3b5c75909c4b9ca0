"""Errors of the hub's client as user errors that say what to do. Does not know which request failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2  # the client that huggingface_hub uses
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

from engine.core.errors import RunFailure
from engine.core.text import Text


@contextmanager
def user_errors_from_hub(repo: str) -> Iterator[None]:
    """Turn an error of the hub's client into a RunFailure; `repo` is named in it."""
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
