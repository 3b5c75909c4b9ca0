"""Rows of a mapped table as the examples of a task.

Knows what a task takes from each role, leaves out rows that cannot be used, and says how many and which. Does not know files,
splits or models.
"""

from __future__ import annotations

from engine.config import DataConfig
from engine.core.errors import FileProblem, LabelProblem
from engine.core.text import Text
from engine.data.answers import read_answers
from engine.data.cells import as_label, as_list, as_text
from engine.data.columns import missing_column
from engine.data.findings import excerpt, some
from engine.data.spans import read_spans, read_tagged
from engine.data.table import Table
from engine.schema import Example, Notice, Place
from engine.tasks.roles import ROLES

__all__ = ["Notice", "Place", "labels_of", "read_examples", "refuse_labels_of_their_own", "require_labels"]
FEW_ROWS = 20  # below it a few classes with one row each are nothing strange
OWN_LABELS = 0.9  # labels for each row from which they tell rows apart, not classes


def read_examples(
    table: Table, task: str, columns: dict[str, str], data: DataConfig
) -> tuple[list[Example], list[Notice]]:
    """The examples in a table, and what was left out or decided on the way. `columns` maps roles to columns (all of them).

    Shapes: classification gives inputs {"text", "text_pair"?} and a label, or a tuple of labels when a cell is a list or
    `data.label_separator` is set; ner inputs {"text", "tokens"?} and a tuple of {"start", "end", "label"}; qa inputs {"context",
    "question", "id"?} and a tuple of {"text", "start"}; summarization inputs {"document"} and a tuple of references.
    Raises ColumnProblem for a column that is not there, FileProblem when no row is left, LabelProblem where labels make no
    sense.
    """
    for role in ROLES[task]:
        column = columns.get(role.name)
        if column is not None and column not in table.columns:
            raise missing_column(table, column, role.label, role.name)
    if task == "classification":
        examples, notices = _classification(table, columns, data)
    elif task == "ner":
        if {"tokens", "tags"} <= columns.keys():
            examples, notices = read_tagged(table, columns["tokens"], columns["tags"])
        else:
            examples, notices = read_spans(table, columns["text"], columns["spans"])
    elif task == "qa":
        examples, notices = read_answers(table, columns)
    else:
        examples, notices = _summarization(table, columns)
    if not examples:
        raise _no_usable_rows(table, notices)
    return examples, notices


def _no_usable_rows(table: Table, notices: list[Notice]) -> FileProblem:
    first = next((place for notice in notices for place in notice.rows), None)
    reasons = Text(" ".join(notice.message.en for notice in notices), "".join(notice.message.zh for notice in notices))
    return FileProblem(
        "no_usable_rows",
        Text(
            f"No row of {table.source.name} can be used. {reasons.en}",
            f"{table.source.name} 中没有可用的行。{reasons.zh}",
        ),
        Text("Check which columns were chosen.", "请检查所选的列是否正确。"),
        file=table.source.name,
        row=first.row if first else table.lines[0],
        column=first.column if first else "",
    )


def _classification(table: Table, columns: dict[str, str], data: DataConfig) -> tuple[list[Example], list[Notice]]:
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
        notices.append(_left_out("empty_text", len(empty), Text("text", "文本"), empty))
    if unlabelled:
        notices.append(_left_out("missing_labels", len(unlabelled), Text("label", "标签"), unlabelled))
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


def _summarization(table: Table, columns: dict[str, str]) -> tuple[list[Example], list[Notice]]:
    file, frame = table.source.name, table.frame
    empty: list[Place] = []
    unlabelled: list[Place] = []
    examples: list[Example] = []
    for line, first, given in zip(table.lines, frame[columns["document"]], frame[columns["summary"]], strict=True):
        document = as_text(first).strip()
        items = as_list(given)
        references = tuple(
            text for item in (items if items is not None else [given]) if (text := as_text(item).strip())
        )
        if not document:
            empty.append(Place(file, line, columns["document"]))
        elif not references:
            unlabelled.append(Place(file, line, columns["summary"], excerpt(document)))
        else:
            examples.append(Example(line, {"document": document}, references))
    notices = []
    if empty:
        notices.append(_left_out("empty_text", len(empty), Text("document", "文档"), empty))
    if unlabelled:
        notices.append(_left_out("missing_labels", len(unlabelled), Text("summary", "摘要"), unlabelled))
    return examples, notices


def _left_out(code: str, count: int, what: Text, places: list[Place]) -> Notice:
    rows = "row has" if count == 1 else "rows have"
    left = "was" if count == 1 else "were"
    return Notice(
        code,
        "warning",
        Text(f"{count:,} {rows} no {what.en} and {left} left out.", f"{count:,} 行缺少{what.zh}，已略过。"),
        count,
        some(places),
    )


def labels_of(example: Example) -> tuple[str, ...]:
    """The labels of an example of classification or NER, each once; nothing for the other tasks."""
    target = example.target
    if isinstance(target, str):
        return (target,)
    return tuple(dict.fromkeys(item if isinstance(item, str) else item.get("label", "") for item in target))


def refuse_labels_of_their_own(examples: list[Example], task: str) -> None:
    """Raise LabelProblem where nearly every row of a training table has a label that no other row has: a text or an identifier."""
    if task != "classification" or len(examples) < FEW_ROWS:
        return
    labels = {label for example in examples for label in labels_of(example)}
    if len(labels) <= OWN_LABELS * len(examples):
        return
    shown = excerpt(labels_of(examples[0])[0]) if labels_of(examples[0]) else ""
    raise LabelProblem(
        "labels_of_their_own",
        Text(
            f"Nearly every row has a label of its own ({len(labels):,} labels in {len(examples):,} rows, such as {shown!r}): "
            "that is a text or an identifier, no class.",
            f"几乎每行的标签都各不相同（{len(examples):,} 行中有 {len(labels):,} 个标签，例如 {shown!r}），"
            "这更像是文本或编号，而不是类别。",
        ),
        Text("Choose another label column.", "请选择其他标签列。"),
        row=examples[0].row,
    )


def require_labels(examples: list[Example], task: str) -> None:
    """Raise LabelProblem where training rows have nothing to tell apart: one class only, no entity, no answer."""
    if task == "classification":
        labels = {label for example in examples for label in labels_of(example)}
        # A multi-label table with a single label still tells rows with it from rows without it.
        varied = len(labels) >= 2 or (len(labels) == 1 and any(example.target == () for example in examples))
        if not varied:
            only = next(iter(labels), "")
            raise LabelProblem(
                "one_label",
                Text(
                    f"Every training row has the label {only!r}; there is nothing to tell apart."
                    if only
                    else "No training row has a label.",
                    f"所有训练数据的标签都是 {only!r}，没有可区分的类别。" if only else "训练数据没有标签。",
                ),
                Text(
                    "Choose another label column, or add rows of another class.",
                    "请选择其他标签列，或补充其他类别的数据。",
                ),
                labels=sorted(labels),
            )
    elif task == "ner" and not any(example.target for example in examples):
        raise LabelProblem(
            "no_entities",
            Text("No training row has an entity.", "训练数据中没有任何实体。"),
            Text("Choose the column that holds spans or tags.", "请选择包含实体区间或标注的列。"),
        )
    elif task == "qa" and not any(example.target for example in examples):
        raise LabelProblem(
            "no_answers",
            Text("No training question has an answer.", "训练数据中没有任何带答案的问题。"),
            Text("Choose the column that holds the answers.", "请选择包含答案的列。"),
        )
