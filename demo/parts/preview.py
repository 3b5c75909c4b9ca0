"""The first mapped rows as a table, under the names of their roles and columns.

A tab may show rows in its own way (`TabSpec.preview`); this module shows cells as they are. Rows that a task cannot read are
reported by the data check.
"""

from __future__ import annotations

from typing import Any

from demo import data_preview
from demo.markup import clip, safe, table
from demo.parts.tab_spec import TabSpec
from engine.config import RunConfig
from engine.core.errors import UserError
from engine.data.table import Table
from engine.tasks.spec import TaskSpec

ROWS = 4
EXAMPLES = 200  # examples read for a tab's own preview, which may pick among them


def preview_html(tab: TabSpec, config: RunConfig, train: Table, columns: dict[str, str], language: str) -> str:
    """The first rows in the tab's own preview, or their cells where it has none or no row can be read."""
    if tab.preview is not None:
        try:
            examples = data_preview.examples(config, train, columns, most=EXAMPLES)
        except UserError:
            examples = []  # the data check names the row and the reason
        if examples:
            return tab.preview(examples, columns, language)
    return _cells(tab.task, train, columns, language)


def _cells(task: TaskSpec, train: Table, columns: dict[str, str], language: str) -> str:
    roles = [role.name for role in task.roles if columns.get(role.name) in train.columns]
    if not roles:
        return ""
    rows = [
        [clip(_cell(train.frame[columns[role]].iloc[index])) for role in roles]
        for index in range(min(ROWS, len(train)))
    ]
    return table([role_heading(task, role, columns, language) for role in roles], rows, "tb-preview")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def role_heading(task: TaskSpec, role: str, columns: dict[str, str], language: str) -> str:
    """The heading of a role's column: its label, and the column of the table in small."""
    label = task.role(role).label
    return f"{safe(label.in_language(language))}<small>{safe(columns.get(role, ''))}</small>"
