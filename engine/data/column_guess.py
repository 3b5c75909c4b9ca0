"""What the guesses of columns are made of: a column under consideration, and a guess with its reason.

Knows how a name (`names`) and the content (`profile`) of a column are looked up. How they are weighed against each other is the
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
    """A column for a role, how sure (0 to 1), and why."""

    column: str
    score: float
    reason: Text


BY_NAME = Text("its name says so", "列名表明如此")
BY_TEXT = Text("it holds the longest and most varied text", "内容是最长、最多样的文本")


class Column:
    """One column under consideration. `aliases` are the names of each role, the surest first, parted by blanks."""

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
        """Whether it may be text at all: no identifier, date, number, list."""
        return self.facts.is_text and not self.identifies

    def guess(self, role: str, score: float, otherwise: Text) -> Guess:
        return Guess(self.name, round(min(1.0, score), 3), BY_NAME if self.named(role) >= 0.3 else otherwise)


def length_score(column: Column) -> float:
    return min(column.facts.chars, 200) / 200


def unassigned_columns(table: Table, aliases: Mapping[str, str], chosen: Mapping[str, str]) -> list[Column]:
    """The columns of a table that `given` does not take."""
    assigned = set(chosen.values())
    return [Column(table, name, aliases) for name in table.columns if name not in assigned]
