"""Access to data sets on the hub, or on the mirror that HF_ENDPOINT names: existence, permission and revision.

Knows valid ids, the time limits of requests, and how errors of the hub become problems. Does not read any rows. A token comes from
the caller or from the environment (HF_TOKEN), and is kept nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from engine.core.errors import FileProblem
from engine.core.settings import offline
from engine.core.text import Text

Token = str | bool | None

ANSWER_SECONDS = 5.0  # for the first response; a slower hub counts as unreachable, because a user is waiting
# Streaming retries after short interruptions, but not for the library's 20 times 5 seconds.
_READ_RETRIES = 3
_RETRY_SECONDS = 1
# Owner and name. A name alone could be one of the datasets library's own readers ("csv"), which would read local files.
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}")
_TABLES = (
    ".csv",
    ".tsv",
    ".json",
    ".jsonl",
    ".ndjson",
    ".parquet",
    ".arrow",
    ".txt",
    ".zip",
    ".gz",
    ".zst",
    ".xml",
    ".tar",
)


def resolve_revision(dataset: str, revision: str = "", token: Token = None) -> str:
    """The commit that `revision` (main when empty) stands for now, which fixes what is read.

    One request with a short time limit. Raises FileProblem for an id or revision that is none, offline mode, a hub that does not
    answer, a data set that is not there or not open, and one that only its own script can make.
    """
    _check_id(dataset, revision)
    from huggingface_hub import HfApi

    with library_errors_explained(dataset, revision):
        info = HfApi(token=token).dataset_info(dataset, revision=revision or None, timeout=ANSWER_SECONDS)
    names = [PurePosixPath(sibling.rfilename) for sibling in info.siblings or []]
    # The datasets library refuses a script of the data set's own name; without a table beside it there is nothing else.
    script = f"{dataset.partition('/')[2]}.py"
    if any(str(name) == script for name in names):
        raise needs_script(dataset, script)
    if any(name.suffix == ".py" for name in names) and not any(name.suffix.lower() in _TABLES for name in names):
        raise needs_script(dataset, next(str(name) for name in names if name.suffix == ".py"))
    return info.sha or revision


def shorten_stream_retries() -> None:
    """Let the datasets library retry a broken stream a few times within seconds, not for minutes."""
    from datasets import config

    config.STREAMING_OPEN_MAX_RETRIES = config.STREAMING_READ_MAX_RETRIES = _READ_RETRIES
    config.STREAMING_OPEN_RETRY_INTERVAL = config.STREAMING_READ_RETRY_INTERVAL = _RETRY_SECONDS
    config.STREAMING_READ_SERVER_UNAVAILABLE_RETRY_INTERVAL = 3 * _RETRY_SECONDS
    config.STREAMING_READ_RATE_LIMIT_RETRY_INTERVAL = 10 * _RETRY_SECONDS


def _check_id(dataset: str, revision: str) -> None:
    if not _ID.fullmatch(dataset) or ".." in dataset or "--" in dataset:
        raise FileProblem(
            "bad_hub_id",
            Text(f"{dataset!r} is no id of a hub data set.", f"{dataset!r} 不是合法的 Hub 数据集 ID。"),
            Text("An id looks like owner/name.", "ID 的形式为 owner/name。"),
            file=dataset,
        )
    if revision and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise _no_revision(dataset, revision)
    if Path(dataset).exists():
        # The datasets library would read the folder instead of the hub.
        raise FileProblem(
            "hub_id_is_path",
            Text(
                f"{dataset!r} is a file or folder here, so the hub would not be asked.",
                f"{dataset!r} 是本机的文件或文件夹，不会访问 Hub。",
            ),
            Text("Give it as the training file instead.", "请改用训练文件一栏提供。"),
            file=dataset,
        )
    if offline():
        raise _unreachable(dataset, Text("HF_HUB_OFFLINE is set", "已设置 HF_HUB_OFFLINE"), code="offline")


@contextmanager
def library_errors_explained(dataset: str, revision: str = "") -> Iterator[None]:
    """Turn exceptions of the hub's libraries into problems with a hint."""
    import httpx2  # the HTTP client of huggingface_hub
    from datasets.exceptions import DatasetNotFoundError, DatasetsError
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except FileProblem:
        raise
    except GatedRepoError as error:
        raise _not_allowed(dataset) from error
    except RevisionNotFoundError as error:
        raise _no_revision(dataset, revision) from error
    except RepositoryNotFoundError as error:
        raise _not_found(dataset) from error
    except DatasetNotFoundError as error:
        # The datasets library raises this exception for every refusal; only the message tells them apart.
        if "is a gated dataset" in str(error):
            raise _not_allowed(dataset) from error
        if str(error).startswith("Revision"):
            raise _no_revision(dataset, revision) from error
        raise _not_found(dataset) from error
    except OfflineModeIsEnabled as error:
        raise _unreachable(dataset, Text("offline mode is on", "已开启离线模式"), code="offline") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise _not_allowed(dataset) from error
        raise _unreachable(dataset, Text(f"it answered with error {status}", f"服务器返回错误 {status}")) from error
    except (httpx2.TimeoutException, TimeoutError) as error:
        raise _unreachable(dataset, Text("it does not answer", "连接超时")) from error
    except (httpx2.HTTPError, ConnectionError) as error:
        raise _unreachable(dataset, Text("there is no connection to it", "无法连接")) from error
    except RuntimeError as error:
        if "scripts are no longer supported" in str(error):
            raise needs_script(dataset, str(error).rpartition(" ")[2]) from error
        raise _unreadable(dataset, error) from error
    except (DatasetsError, OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise _unreadable(dataset, error) from error


def _endpoint() -> str:
    from huggingface_hub import constants

    return constants.ENDPOINT


def _not_found(dataset: str) -> FileProblem:
    return FileProblem(
        "hub_dataset_not_found",
        Text(f"The hub has no data set {dataset}, or it is private.", f"Hub 上没有数据集 {dataset}，或它是私有的。"),
        Text(
            "Check the id; a private set needs a token (HF_TOKEN, or the field on the page).",
            "请检查 ID；私有数据集需要访问令牌（HF_TOKEN，或页面上的令牌一栏）。",
        ),
        file=dataset,
    )


def _no_revision(dataset: str, revision: str) -> FileProblem:
    return FileProblem(
        "no_such_revision",
        Text(f"The data set {dataset} has no revision {revision!r}.", f"数据集 {dataset} 没有版本 {revision!r}。"),
        Text("Give a branch, a tag or a commit, or leave it empty.", "请填写分支、标签或提交，或留空。"),
        file=dataset,
    )


def _not_allowed(dataset: str) -> FileProblem:
    return FileProblem(
        "hub_dataset_gated",
        Text(f"The data set {dataset} is only for people with access.", f"数据集 {dataset} 需要获得访问权限。"),
        Text(
            "Ask for access on its page, then give a token (HF_TOKEN, or the field on the page).",
            "请在其页面申请访问，然后提供访问令牌（HF_TOKEN，或页面上的令牌一栏）。",
        ),
        file=dataset,
    )


def needs_script(dataset: str, script: str) -> FileProblem:
    return FileProblem(
        "hub_script",
        Text(
            f"The data set {dataset} is made by a script of its own ({script}), and other people's code is never run here.",
            f"数据集 {dataset} 需要运行其自带脚本（{script}），而本应用从不运行他人的代码。",
        ),
        Text(
            "Choose a copy in Parquet, CSV or JSON, or download the table and upload it.",
            "请选择 Parquet、CSV 或 JSON 版本，或下载数据表后上传。",
        ),
        file=dataset,
    )


def _unreachable(dataset: str, reason: Text, code: str = "hub_unreachable") -> FileProblem:
    where = _endpoint()
    return FileProblem(
        code,
        Text(
            f"{dataset} cannot be fetched from the hub ({where}): {reason.en}.",
            f"无法从 Hub（{where}）获取 {dataset}：{reason.zh}。",
        ),
        Text(
            "Use an example or a file of your own, or name a mirror with HF_ENDPOINT.",
            "请使用示例数据或自己的文件，也可用 HF_ENDPOINT 指定镜像。",
        ),
        file=dataset,
    )


def _unreadable(dataset: str, error: BaseException) -> FileProblem:
    lines = str(error).strip().splitlines()
    reason = lines[0][:200] if lines else type(error).__name__
    return FileProblem(
        "hub_unreadable",
        Text(f"The data set {dataset} cannot be read: {reason}", f"无法读取数据集 {dataset}：{reason}"),
        Text("Download its files and upload them.", "请下载其中的文件后上传。"),
        file=dataset,
    )
