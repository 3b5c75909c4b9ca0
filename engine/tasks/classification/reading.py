"""Rows of texts and labels as examples.

Knows the forms in which labels are written. Does not know files, splits or models.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.errors import LabelProblem
from engine.core.text import Text
from engine.data.cells import as_label, as_list, as_text
from engine.data.config import DataConfig
from engine.data.examples import skipped_rows_notice
from engine.data.findings import excerpt
from engine.data.table import Table
from engine.schema import Example, Notice, Place


def read(table: Table, columns: Mapping[str, str], data: DataConfig) -> tuple[list[Example], list[Notice]]:
    """Examples with inputs {"text", "text_pair"?} and a label as target, or a tuple of labels when a cell is a list or
    `data.label_separator` is set. Rows without text or label are left out, and noticed. LabelProblem for numbers with decimals.
    """
    file, frame = table.source.name, table.frame
    text_column, label_column, pair_column = columns["text"], columns["label"], columns.get("text_pair")
    pairs = frame[pair_column].tolist() if pair_column else [None] * len(table)
    labels = frame[label_column].tolist()
    several = bool(data.label_separator) or _holds_lists(labels)
    empty: list[Place] = []
    unlabelled: list[Place] = []
    examples: list[Example] = []
    for line, first, second, given in zip(table.lines, frame[text_column], pairs, labels, strict=True):
        text = as_text(first).strip()
        inputs = {"text": text}
        if pair_column:
            inputs["text_pair"] = as_text(second).strip()
        if not all(inputs.values()):
            empty.append(Place(file, line, pair_column if text and pair_column else text_column, excerpt(text)))
            continue
        target: str | tuple[str, ...] | None
        if several:
            target = _labels(given, data.label_separator)
        else:
            target = as_label(given) or None
        if target is None:
            unlabelled.append(Place(file, line, label_column, excerpt(text)))
            continue
        examples.append(Example(line, inputs, target))
    notices = []
    if empty:
        notices.append(skipped_rows_notice("empty_text", Text("text", "文本"), empty))
    if unlabelled:
        notices.append(skipped_rows_notice("missing_labels", Text("label", "标签"), unlabelled))
    if not several:
        numbers = _fractions(examples)
        if numbers:
            raise LabelProblem(
                "labels_are_numbers",
                Text(
                    f"{file}: the column {label_column!r} holds {numbers} different numbers with decimals, not classes.",
                    f"{file}：{label_column!r} 列是 {numbers} 个不同的小数，而不是类别。",
                ),
                Text(
                    "Turn them into classes first, such as low, middle, high.",
                    "请先把数值转换为类别，例如“低、中、高”。",
                ),
                file=file,
                column=label_column,
                row=examples[0].row,
            )
    return examples, notices


def _holds_lists(cells: list[object]) -> bool:
    """Whether the cells of labels are lists, or text that writes lists."""
    filled = [cell for cell in cells[:2000] if cell is not None]
    if not filled:
        return False
    if any(isinstance(cell, list) for cell in filled):
        return True  # where some rows have several, one alone is a list of one
    written = [cell for cell in filled if isinstance(cell, list) or (isinstance(cell, str) and cell.startswith("["))]
    return len(written) >= 0.9 * len(filled) and all(as_list(cell) is not None for cell in written)


def _labels(cell: object, separator: str) -> tuple[str, ...] | None:
    """The labels in one cell, each once, in the order given; None for a missing cell, () for an empty list."""
    items = as_list(cell)
    if items is None:
        if cell is None:
            return None
        text = as_label(cell)
        items = list(text.split(separator)) if separator else [text]
    return tuple(dict.fromkeys(label for item in items if (label := as_label(item))))


def _fractions(examples: list[Example]) -> int:
    """How many different labels there are, when they are measurements rather than classes; else 0."""
    different = {example.target for example in examples}
    if len(different) <= 20 or len(different) < 0.2 * len(examples):
        return 0
    decimals = sum("." in label and label.replace(".", "", 1).lstrip("-").isdecimal() for label in different)
    return len(different) if decimals > 0.5 * len(different) else 0
