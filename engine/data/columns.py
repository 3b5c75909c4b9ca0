"""Which column plays which role: guessed from names and contents, corrected by hand.

Knows which roles are assigned and which are missing; the rules of guessing belong to the task. A guess always has a reason that
can be shown, and an identifier or a date is never guessed as text.
"""

from __future__ import annotations

import difflib

from engine.core.errors import ColumnProblem
from engine.core.text import Text
from engine.data.column_guess import Guess
from engine.data.table import Table
from engine.data.task import DataTask


def guess_columns(table: Table, task: DataTask) -> dict[str, str]:
    """Role -> column, for the roles that a column was guessed for."""
    return {role: guess.column for role, guess in guess_with_reasons(table, task).items()}


def guess_with_reasons(table: Table, task: DataTask, chosen: dict[str, str] | None = None) -> dict[str, Guess]:
    """The guesses, each with score and reason, for the roles that are not in `chosen`; columns in `chosen` are not guessed again."""
    chosen = chosen or {}
    return {role: guess for role, guess in task.guess(table, chosen).items() if role not in chosen}


def resolve_columns(table: Table, task: DataTask, chosen: dict[str, str]) -> dict[str, str]:
    """Role -> column of `table`: `chosen` unchanged, the other roles guessed.

    Raises ColumnProblem for an unknown role, for a chosen column that the table lacks (the message lists those that exist and the
    nearest), for one column in two roles, and for a required role without a column.
    """
    roles = {role.name: role for role in task.roles}
    chosen = {role: column for role, column in chosen.items() if column}
    for role, column in chosen.items():
        if role not in roles:
            raise ColumnProblem(
                "unknown_role",
                Text(
                    f"There is no role {role!r} in this task; there are {', '.join(roles)}.",
                    f"该任务没有 {role!r} 这个角色，可用的有：{'、'.join(roles)}。",
                ),
                role=role,
            )
        if column not in table.columns:
            raise missing_column(table, column, roles[role].label, role)
    for role, column in chosen.items():
        others = [other for other in chosen if other != role and chosen[other] == column]
        if others:
            raise ColumnProblem(
                "column_twice",
                Text(
                    f"The column {column!r} cannot be both {role} and {others[0]}.",
                    f"{column!r} 列不能同时作为 {role} 和 {others[0]}。",
                ),
                Text("Choose another column for one of them.", "请为其中一个角色选择其他列。"),
                file=table.source.name,
                column=column,
                role=role,
            )
    columns = {**chosen, **{role: g.column for role, g in guess_with_reasons(table, task, chosen).items()}}
    missing = task.missing_role(columns)
    if missing is not None:
        raise _no_column(table, roles[missing].label, missing)
    columns = task.chosen_columns(columns, chosen)
    return {role: columns[role] for role in roles if role in columns}


def resolve_tables(tables: dict[str, Table], task: DataTask, chosen: dict[str, str]) -> dict[str, dict[str, str]]:
    """One mapping per table: that of the training table where its columns exist, else one guessed for the table."""
    train = resolve_columns(tables["train"], task, chosen)
    mappings = {"train": train}
    for split, table in tables.items():
        if split == "train":
            continue
        if all(column in table.columns for column in train.values()):
            mappings[split] = dict(train)
        else:
            same = {role: column for role, column in train.items() if column in table.columns}
            mappings[split] = resolve_columns(table, task, same)
    return mappings


def missing_column(table: Table, column: str, role: Text, role_name: str) -> ColumnProblem:
    """The problem of a configured column that the table lacks."""
    folded = {name.casefold(): name for name in table.columns}
    closest = difflib.get_close_matches(column.casefold(), list(folded), n=1, cutoff=0.5)
    listed = Text(", ".join(map(repr, table.columns[:30])), "、".join(map(repr, table.columns[:30])))
    return ColumnProblem(
        "missing_column",
        Text(
            f"{table.source.name} has no column {column!r} (for {role.en}). It has {listed.en}.",
            f"{table.source.name} 中没有 {column!r} 列（用作{role.zh}）。现有的列：{listed.zh}。",
        ),
        Text(f"Did you mean {folded[closest[0]]!r}?", f"是否想用 {folded[closest[0]]!r}？") if closest else None,
        file=table.source.name,
        column=column,
        role=role_name,
        columns=table.columns,
    )


def _no_column(table: Table, role: Text, role_name: str) -> ColumnProblem:
    listed = Text(", ".join(map(repr, table.columns[:30])), "、".join(map(repr, table.columns[:30])))
    return ColumnProblem(
        "no_column",
        Text(
            f"{table.source.name}: no column could be recognised as {role.en}. It has {listed.en}.",
            f"{table.source.name}：没有找到可作为{role.zh}的列。现有的列：{listed.zh}。",
        ),
        Text(
            " ".join(["Choose the column by hand.", *(note.en for note in table.source.notes)]),
            "".join(["请手动选择对应的列。", *(note.zh for note in table.source.notes)]),
        ),
        file=table.source.name,
        role=role_name,
        columns=table.columns,
    )
