"""Names of repositories on the hub. Light to import: the page checks a name before any work."""

from __future__ import annotations

import re

from huggingface_hub.utils import HFValidationError, validate_repo_id

from engine.core.errors import ConfigProblem
from engine.core.text import Text

_OWNER_NAME = re.compile(r"[^/]+/[^/]+")


def check_repo_name(repo: str) -> None:
    """ConfigProblem unless `repo` is OWNER/NAME as the hub accepts it."""
    try:
        validate_repo_id(repo)
        valid = _OWNER_NAME.fullmatch(repo) is not None
    except HFValidationError:
        valid = False
    if not valid:
        raise ConfigProblem(
            "bad_repository",
            Text(f"{repo!r} is no name of a repository.", f"{repo!r} 不是合法的仓库名。"),
            Text(
                "Write OWNER/NAME: letters, digits, hyphens, dots and underscores.",
                "请写成“用户名/仓库名”，只能使用字母、数字、连字符、点和下划线。",
            ),
            repo=repo,
        )
