"""The labels of rows, and whether they can be learned at all.

Knows examples; does not know tables.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.errors import LabelProblem
from engine.core.text import Text
from engine.data.findings import excerpt
from engine.schema import Example

FEW_ROWS = 20  # below it a few classes with one row each are nothing strange
UNIQUE_SHARE = 0.9  # labels for each row from which they tell rows apart, not classes


def labels_of(example: Example) -> tuple[str, ...]:
    """The labels of a row, each once."""
    return (example.target,) if isinstance(example.target, str) else tuple(dict.fromkeys(example.target))


def refuse_unique_labels(examples: Sequence[Example]) -> None:
    """Raise LabelProblem where nearly every row of a training table has a label that no other row has: a text or an identifier."""
    if len(examples) < FEW_ROWS:
        return
    labels = {label for example in examples for label in labels_of(example)}
    if len(labels) <= UNIQUE_SHARE * len(examples):
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


def require_labels(examples: Sequence[Example]) -> None:
    """Raise LabelProblem where training rows have nothing to tell apart: one class only."""
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
