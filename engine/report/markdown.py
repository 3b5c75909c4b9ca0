"""Plain text made safe to stand in Markdown, table cells included.

Knows CommonMark and GitHub's additions. Does not know reports.
"""

from __future__ import annotations

import re
from typing import Any

# Characters that start something in the middle of a line. An underscore inside a word starts nothing, and stays readable.
_SPECIAL = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def escape_markdown(value: Any) -> Any:
    """Escape what Markdown or HTML would read as markup, and put everything on one line."""
    if isinstance(value, Markdown) or not isinstance(value, str):
        return value
    line = " ".join(value.split())
    return _SPECIAL.sub(r"\\\g<0>", line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
