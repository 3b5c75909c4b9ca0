"""Names of repositories on the hub. Importing it costs nothing: the page asks it before any work is begun."""

from __future__ import annotations

import re

from huggingface_hub.utils import HFValidationError, validate_repo_id

from engine.core.errors import ConfigProblem
from engine.core.text import Text

_NAMED = re.compile(r"[^/]+/[^/]+")


def check_name(repo: str) -> None:
    """ConfigProblem unless `repo` is OWNER/NAME as the hub takes it."""
    try:
        validate_repo_id(repo)
        good = _NAMED.fullmatch(repo) is not None
    except HFValidationError:
        good = False
    if not good:
        raise ConfigProblem(
            "bad_repository",
            Text(f"{repo!r} is no name of a repository.", f"{repo!r} 不是合法的仓库名。"),
            Text(
                "Write OWNER/NAME: letters, digits, hyphens, dots and underscores.",
                "请写成“用户名/仓库名”，只能使用字母、数字、连字符、点和下划线。",
            ),
            repo=repo,
        )
