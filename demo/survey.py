"""A look at the data before anything is trained: read the tables, guess the columns, count the classes, ask the data doctor.

Knows which engine functions answer which question, and keeps their last answers. Does not know how they are shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo.page import Page
from engine.config import RunConfig
from engine.data.table import Table
from engine.text import Text


def read(page: Page, config: RunConfig, progress: Callable[[Text, float], None] | None = None) -> dict[str, Table]:
    """The tables that a configuration names. Raises what the reader raises (UserError)."""
    from engine.data.load import read_tables

    data = config.data
    key = (
        config.task,
        *(getattr(data, name) for name in ("example", "train", "validation", "test", "hub", "hub_config")),
        *(getattr(data, name) for name in ("encoding", "delimiter", "sheet")),
    )
    return page.tables.get(key, lambda: read_tables(data, config.task, page.settings, progress))


def needs_fetching(config: RunConfig) -> bool:
    """Whether the example has to be downloaded before it can be looked at."""
    from engine.assets import is_cached

    return bool(config.data.example) and not is_cached(config.data.example)


def check(page: Page, config: RunConfig) -> Any:
    """What the data doctor says of a configuration's data (engine.data.check.CheckResult)."""
    from engine.data.check import check_config

    return page.checks.get((config.to_yaml(),), lambda: check_config(config, page.settings))


def class_counts(table: Table, column: str, separator: str = "") -> list[tuple[str, int]]:
    """How often each label occurs, most frequent first. Cells with several labels count for each."""
    counts: Counter[str] = Counter()
    for cell in table.frame[column]:
        if cell is None:
            continue
        if isinstance(cell, list):
            labels = [str(label) for label in cell]
        elif separator:
            labels = [label.strip() for label in str(cell).split(separator)]
        else:
            labels = [str(cell).strip()]
        counts.update(label for label in labels if label)
    return counts.most_common()


def file_name(path: str) -> str:
    return Path(path).name
