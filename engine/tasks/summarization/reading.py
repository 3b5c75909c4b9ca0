"""Rows of documents and summaries as examples. Does not know files, splits or models."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.text import Text
from engine.data.cells import as_list, as_text
from engine.data.examples import skipped_rows_notice
from engine.data.findings import excerpt
from engine.data.table import Table
from engine.schema import Example, Notice, Place


def read(table: Table, columns: Mapping[str, str]) -> tuple[list[Example], list[Notice]]:
    """Examples with inputs {"document"} and a tuple of references as target. Rows without either are left out, and noticed."""
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
        notices.append(skipped_rows_notice("empty_text", Text("document", "文档"), empty))
    if unlabelled:
        notices.append(skipped_rows_notice("missing_labels", Text("summary", "摘要"), unlabelled))
    return examples, notices
