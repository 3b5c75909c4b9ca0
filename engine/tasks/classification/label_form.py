"""Whether texts have one label each, or may have several: one answer for all tables of a run.

A tool for annotating may write every label as a list, also where only one can be chosen. Knows examples; does not know cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.data.config import DataConfig
from engine.schema import Example

Tables = dict[str, list[Example]]


def unify_targets(tables: Mapping[str, Sequence[Example]], data: DataConfig) -> Tables:
    """The examples with their targets in one form: a label each, or a tuple of labels each where any row has none or several.

    A label separator that was set says that there may be several.
    """
    several = bool(data.label_separator) or any(
        isinstance(row.target, tuple) and len(row.target) != 1 for rows in tables.values() for row in rows
    )
    return {name: targets_in_form(rows, several) for name, rows in tables.items()}


def targets_in_form(rows: Sequence[Example], several: bool) -> list[Example]:
    """Rows with a tuple of labels each, or with one label each where a tuple holds just one; a tuple of others stays one."""

    def target(given: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if several:
            return given if isinstance(given, tuple) else (given,)
        return given[0] if isinstance(given, tuple) and len(given) == 1 else given

    return [replace(row, target=target(row.target)) for row in rows]
