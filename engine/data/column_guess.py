"""Building blocks of column guessing: a candidate column, and a guess with its reason.

Knows how the name (`column_names`) and the content (`profile`) of a column are scored. How the scores are combined is the
task's own rule (`TaskSpec.guess`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.text import Text
from engine.data.column_names import is_identifier, name_score
from engine.data.profile import Profile, profile
from engine.data.table import Table


@dataclass(frozen=True, slots=True)
class Guess:
    """A column for a role, its score (0 to 1), and the reason."""

    column: str
    score: float
    reason: Text


BY_NAME = Text("its name matches", "列名相符")
BY_TEXT = Text("it holds the longest and most varied text", "内容是最长、最多样的文本")


class Column:
    """One candidate column. `aliases` are the names of each role, best match first, separated by blanks."""

    def __init__(self, table: Table, name: str, aliases: Mapping[str, str]):
        self.name = name
        self.aliases = aliases
        self.facts: Profile = profile(table, name)
        self.place = table.columns.index(name)
        self.identifies = is_identifier(name)

    def named(self, role: str) -> float:
        return name_score(self.name, self.aliases.get(role, ""))

    @property
    def readable(self) -> bool:
        """Whether it can be text: no identifier, date, number or list."""
        return self.facts.is_text and not self.identifies

    def guess(self, role: str, score: float, otherwise: Text) -> Guess:
        return Guess(self.name, round(min(1.0, score), 3), BY_NAME if self.named(role) >= 0.3 else otherwise)


def length_score(column: Column) -> float:
    return min(column.facts.chars, 200) / 200


def unassigned_columns(table: Table, aliases: Mapping[str, str], chosen: Mapping[str, str]) -> list[Column]:
    """The columns of a table that are not in `chosen`."""
    assigned = set(chosen.values())
    return [Column(table, name, aliases) for name in table.columns if name not in assigned]
