"""What the data check offers to fix in the summaries of a table."""

from __future__ import annotations

from engine.core.text import Text
from engine.data.fixes import on_training_rows
from engine.data.normalization import normal_form
from engine.data.task import RowFix
from engine.schema import Example


def unusable_summary(example: Example) -> str:
    """What is wrong with the references of an example: "longer", "copy" or nothing."""
    document = normal_form(example.inputs["document"])
    for reference in example.target:
        summary = normal_form(reference)
        if summary == document:
            return "copy"
        if len(summary) >= len(document):
            return "longer"
    return ""


def _drop_unusable(rows: list[Example]) -> list[Example]:
    return [row for row in rows if not unusable_summary(row)]


DROP_BAD_SUMMARIES = RowFix(
    "drop_bad_summaries",
    Text("Leave these rows out of training", "训练时去掉这些行"),
    on_training_rows(_drop_unusable),
    drops_rows=True,
)
FIXES = (DROP_BAD_SUMMARIES,)
