"""Findings of the data check, and the fixes that they offer.

Knows their shape and how they are written as JSON. Does not know the checks that produce them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.core.text import Text
from engine.schema import Place

MAX_PLACES = 10  # places listed for one notice or finding
_EXCERPT_CHARS = 120  # characters


@dataclass(frozen=True, slots=True)
class Fix:
    """A remedy for a finding that one click applies.

    A fix of the data is switched on by putting `code` into `DataConfig.fixes`. A fix that is a setting has `settings`
    instead: dotted paths of RunConfig and their values.
    """

    code: str
    label: Text
    settings: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"code": self.code, "label": self.label.to_dict(), "settings": self.settings}


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault in the data: how many rows have it, some of their places, and the fix where one exists."""

    code: str
    severity: str
    message: Text
    count: int = 0
    rows: tuple[Place, ...] = ()
    fix: Fix | None = None
    details: dict[str, Any] = field(default_factory=dict)  # the numbers behind the message, as JSON types
    blocks_training: bool = False  # whether a run on this data would end before training

    def to_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message.to_dict(),
            "count": self.count,
            "rows": [place.to_dict() for place in self.rows],
            "fix": self.fix.to_dict() if self.fix else None,
            "details": self.details,
        }


def excerpt(text: str, around: int = 0) -> str:
    """A text short enough for a list, cut around the character `around`."""
    start = max(0, around - _EXCERPT_CHARS // 2)
    cut = " ".join(text[start : start + _EXCERPT_CHARS].split())
    return ("…" if start else "") + cut + ("…" if start + _EXCERPT_CHARS < len(text) else "")


def first_places(places: Sequence[Place]) -> tuple[Place, ...]:
    """The first MAX_PLACES places."""
    return tuple(places[:MAX_PLACES])


def counted(count: int, one: str, more: str) -> str:
    """A count with the words that follow it: counted(1, "row has", "rows have") is "1 row has"."""
    return f"{count:,} {one if count == 1 else more}"


def listed_names(names: Sequence[str], most: int = 8) -> Text:
    """A list of names for a sentence, cut short where it is long."""
    listed, more = list(names[:most]), len(names) - most
    en, zh = ", ".join(listed), "、".join(listed)
    return Text(en, zh) if more <= 0 else Text(f"{en} and {more} more", f"{zh} 等 {len(names)} 个")
