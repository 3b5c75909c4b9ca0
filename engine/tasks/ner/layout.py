"""The parts of a tagger's report in the order and amount they are read in.

Knows the JSON of the report and returns what its templates (templates/ner) show. Does not know HTML or Markdown.
"""

from __future__ import annotations

from typing import Any

from engine.report.charts import domain
from engine.tasks.ner.marks import colours, runs
from engine.tasks.ner.report_words import ERROR_HELP, ERROR_NAMES, OUTCOME_NAMES, SCHEMA_HELP, SCHEMA_NAMES, SEEN_NAMES

FIRST_TYPES = 15
FIRST_PAIRS = 8


def body(report: dict[str, Any]) -> dict[str, Any]:
    """Types, new entities, lenient scores, errors."""
    types = sorted(report["types"], key=lambda row: (row["f1"] is None, row["f1"] or 0.0))
    known = [row for row in types if row["f1"] is not None]
    return {
        "types": types,
        "first_types": FIRST_TYPES,
        "f1_span": domain(min(row["f1_low"] for row in known), max(row["f1_high"] for row in known))
        if known
        else (0.0, 1.0),
        "colours": colours(labels_in(report)),
        "seen": [{"label": SEEN_NAMES[name], **part} for name, part in report["seen"].items() if part["gold"]],
        "schemas": [
            {"label": SCHEMA_NAMES[name], "help": SCHEMA_HELP[name], **part} for name, part in report["partial"].items()
        ],
        "outcomes": OUTCOME_NAMES,
        "groups": [
            {
                **group,
                "label": ERROR_NAMES[group["kind"]],
                "help": ERROR_HELP[group["kind"]],
                "pairs": group["pairs"][:FIRST_PAIRS],
                "examples": [_readable(example) for example in group["examples"]],
            }
            for group in report["errors"]
            if group["count"]
        ],
        "error_count": sum(group["count"] for group in report["errors"]),
    }


def labels_in(report: dict[str, Any]) -> list[str]:
    """Every type of the report, which is what their colours follow from."""
    return [row["label"] for row in report["types"]]


def _readable(example: dict[str, Any]) -> dict[str, Any]:
    """The text of an example twice, with what is marked in the data and with what the model marked."""
    return {
        **example,
        "wanted": runs(example["text"], example["gold"]),
        "said": runs(example["text"], example["given"]),
        "wanted_line": _line(example["text"], example["gold"]),
        "said_line": _line(example["text"], example["given"]),
    }


def _line(text: str, spans: list[dict[str, Any]]) -> str:
    """A text with its entities in brackets: [Paris | LOC]."""
    return "".join(f"[{run.text} | {run.span['label']}]" if run.span else run.text for run in runs(text, spans))
