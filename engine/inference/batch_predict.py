"""A file of texts in, a file of answers out.

Knows tables and how answers are written beside their rows. Does not know how an answer is made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas

from engine.core.errors import ColumnProblem, FileProblem
from engine.core.text import Text
from engine.data.columns import guess_columns, missing_column
from engine.data.table import Table
from engine.schema import Answered

if TYPE_CHECKING:
    from engine.inference.predictor import Predictor

OUTPUT_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".xlsx")
# A spreadsheet runs a cell that begins like this as a formula (OWASP, "CSV Injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def predict_table(
    predictor: Predictor,
    table: Table,
    columns: dict[str, str] | None = None,
    base: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> pandas.DataFrame:
    """The table with the answers beside each row, in the columns that the task gives (`TaskModel.cells`).

    `columns` maps roles to columns; the rest is guessed. A row without a text gets empty answers. A new column never
    replaces one of the person's: it is named `prediction_2` instead. ColumnProblem when no column can be the text.
    """
    return beside(table, answer_table(predictor, table, columns, base, progress), predictor)


def answer_table(
    predictor: Predictor,
    table: Table,
    columns: dict[str, str] | None = None,
    base: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Answered:
    """An answer for every row of a table. ColumnProblem when no column can be what the model reads."""
    roles = text_columns(predictor, table, columns or {})
    cells = zip(*(table.frame[column] for column in roles.values()), strict=True)
    rows = [predictor.task.spec.row_inputs(dict(zip(roles, values, strict=True))) for values in cells]
    answers = iter(predictor.predict([row for row in rows if row], base=base, progress=progress))
    return Answered(roles, rows, [next(answers) if row else None for row in rows])


def beside(table: Table, answered: Answered, predictor: Predictor) -> pandas.DataFrame:
    """The table with its answers in new columns."""
    frame = table.frame.copy()
    for name, values in predictor.task.cells(answered.answers, predictor.outputs).items():
        # As objects: a row without an answer stays None, which pandas would turn into NaN.
        frame[_free_name(name, list(frame.columns))] = pandas.Series(values, index=frame.index, dtype=object)
    return frame


def text_columns(predictor: Predictor, table: Table, chosen: dict[str, str]) -> dict[str, str]:
    """The columns the model reads, by role: as given, else named as in training, else guessed. ColumnProblem."""
    trained, spec = predictor.description.columns, predictor.task.spec
    required = [spec.role(name) for name in spec.inputs if name not in spec.optional_inputs or name in trained]
    chosen = {role: column for role, column in chosen.items() if column}
    labels = {role.name: role.label for role in spec.roles}
    for name, column in chosen.items():
        if column not in table.columns:
            raise missing_column(table, column, labels[name], name)
    named = {role.name: trained[role.name] for role in required if trained.get(role.name) in table.columns}
    only = {required[0].name: table.columns[0]} if len(required) == len(table.columns) == 1 else {}
    guessed = {**guess_columns(table, spec), **only, **named, **chosen}
    for name, other in spec.alternative_roles.items():
        if name in spec.inputs and other in guessed and (name not in guessed or other in chosen):
            return {other: guessed[other]}
    for role in required:
        if role.name not in guessed:
            raise ColumnProblem(
                "no_text_column",
                Text(
                    f"{table.source.name} has no column for {role.name}.",
                    f"{table.source.name} 中没有可作为“{role.label.zh}”的列。",
                ),
                Text(
                    f"Name it; the file has: {', '.join(table.columns)}.",
                    f"请指定列名；文件包含：{', '.join(table.columns)}。",
                ),
                file=table.source.name,
                column=role.name,
            )
    return {role.name: guessed[role.name] for role in required}


def check_output(path: Path, export_formats: Iterable[str] = ()) -> None:
    """Raises FileProblem where `write_answers` could not write: known before any time is spent on answers.

    `export_formats` are the endings of the task's own formats.
    """
    endings = (*(ending for ending in OUTPUT_ENDINGS if ending != ".ndjson"), *export_formats)
    if path.suffix.lower() not in (*OUTPUT_ENDINGS, *export_formats):
        raise FileProblem(
            "unknown_output",
            Text(
                f"Cannot write {path.name}: unknown ending {path.suffix!r}.",
                f"无法写入 {path.name}：未知的扩展名 {path.suffix!r}。",
            ),
            Text(
                f"Use {', '.join(endings[:-1])} or {endings[-1]}.",
                f"请使用 {'、'.join(endings[:-1])} 或 {endings[-1]}。",
            ),
            file=str(path),
        )
    if path.is_dir():
        raise _unwritable(path, Text("it is a folder", "它是文件夹"))
    if not path.parent.is_dir():
        raise _unwritable(path, Text(f"there is no folder {path.parent}", f"文件夹 {path.parent} 不存在"))
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise _unwritable(path, Text("permission denied", "没有写入权限"))


def write_answers(table: Table, answered: Answered, predictor: Predictor, path: Path) -> None:
    """Write the answers beside their rows, or in a format of the task's own (`TaskSpec.export_formats`), by the file's ending.

    Raises FileProblem for another ending, and for a place that cannot be written.
    """
    export_formats = predictor.task.spec.export_formats
    if path.suffix.lower() not in export_formats:
        write_predictions(beside(table, answered, predictor), path)
        return
    check_output(path, export_formats)
    try:
        path.write_text(export_formats[path.suffix.lower()].write(table, answered), encoding="utf-8", errors="replace")
    except OSError as error:
        reason = error.strerror or str(error)
        raise _unwritable(path, Text(reason, reason)) from error


def write_predictions(frame: pandas.DataFrame, path: Path) -> None:
    """Write CSV (UTF-8 with BOM, which Excel needs; formulas defused), TSV, JSON Lines or XLSX, by the file's ending.

    Raises FileProblem for another ending, and for a place that cannot be written.
    """
    check_output(path)
    ending = path.suffix.lower()
    try:
        if ending in (".csv", ".tsv"):
            defused(frame).to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",", encoding="utf-8-sig")
        elif ending == ".xlsx":
            defused(frame).to_excel(path, index=False)
        else:
            frame.to_json(path, orient="records", lines=True, force_ascii=False)
    except OSError as error:
        reason = error.strerror or str(error)
        raise _unwritable(path, Text(reason, reason)) from error


def _unwritable(path: Path, reason: Text) -> FileProblem:
    return FileProblem(
        "unwritable_output",
        Text(f"Cannot write {path}: {reason.en}.", f"无法写入 {path}：{reason.zh}。"),
        Text("Choose another place.", "请换一个位置。"),
        file=str(path),
    )


def defused(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The frame with lists as JSON, and a quote before every text, column names included, that a spreadsheet would run as a formula."""

    def guard(value: Any) -> Any:
        if isinstance(value, list | dict):
            value = json.dumps(value, ensure_ascii=False)
        return "'" + value if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value

    # As objects: a whole number beside an empty cell would come out as 5.0.
    guarded = {name: pandas.Series([guard(cell) for cell in frame[name]], dtype=object) for name in frame.columns}
    return pandas.DataFrame(guarded).rename(columns=guard).set_axis(frame.index)


def _free_name(name: str, used: list[str]) -> str:
    number, free = 2, name
    while free in used:
        free, number = f"{name}_{number}", number + 1
    return free
