"""Checks of prompt and target templates. Knows fields in braces; does not know what fills them."""

from __future__ import annotations

import re

from engine.core.errors import ConfigProblem
from engine.core.text import Text


def check_template(template: str, field: str, required: tuple[str, ...], known: tuple[str, ...]) -> None:
    """ConfigProblem for a template that lacks a field it needs, or has one that no row can fill."""
    unknown = sorted(set(re.findall(r"\{([A-Za-z_]\w*)\}", template)) - set(known))
    missing = [name for name in required if "{" + name + "}" not in template]
    if not unknown and not missing:
        return
    if missing:
        message = Text(f"{field} lacks {{{missing[0]}}}.", f"{field} 缺少 {{{missing[0]}}}。")
    else:
        message = Text(
            f"{field} has {{{unknown[0]}}}, which no column fills.", f"{field} 中的 {{{unknown[0]}}} 没有对应的列。"
        )
    listed = ", ".join("{" + name + "}" for name in known)
    raise ConfigProblem("bad_template", message, Text(f"Fields: {listed}.", f"可用的字段：{listed}。"), field=field)
