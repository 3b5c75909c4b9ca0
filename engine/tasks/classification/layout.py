"""The parts of a classification report in the order and amount they are read in.

Knows the JSON of the report and returns what its templates (templates/classification) show. Does not know HTML or Markdown.
"""

from __future__ import annotations

from typing import Any

from engine.report.charts import domain

MOST_MATRIX = 25  # classes; a larger matrix cannot be read, the most confused pairs can
MOST_PAIRS = 20
FIRST_CLASSES = 12
FIRST_MISTAKES = 12
MOST_TEXT = 600  # characters of a text shown with a mistake


def body(report: dict[str, Any]) -> dict[str, Any]:
    """Classes, what is mixed up, and mistakes."""
    classes = sorted(report.get("classes") or [], key=lambda row: (row["f1"] is None, row["f1"] or 0.0))
    confusion = report.get("confusion") or {}
    small = len(confusion.get("labels", [])) <= MOST_MATRIX
    return {
        "classes": classes,
        "f1_span": _f1_span(classes),
        "first_classes": len(classes) if len(classes) <= MOST_MATRIX else FIRST_CLASSES,
        "matrix": confusion if small and "matrix" in confusion else None,
        "pairs": confused_pairs(report),
        "per_class": list(zip(confusion["labels"], confusion["per_class"], strict=True))
        if "per_class" in confusion
        else None,
        "mistakes": [_readable(mistake) for mistake in report.get("mistakes") or []],
        "first_mistakes": FIRST_MISTAKES,
    }


def confused_pairs(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells off the diagonal with the most rows: label, prediction, count, and the share of the label's rows."""
    confusion = report.get("confusion") or {}
    if "matrix" not in confusion:
        return []
    labels = confusion["labels"]
    found = []
    for label, row in zip(labels, confusion["matrix"], strict=True):
        for prediction, count in zip(labels, row, strict=True):
            if count and label != prediction:
                found.append({"label": label, "prediction": prediction, "count": count, "share": count / sum(row)})
    return sorted(found, key=lambda pair: (-pair["count"], -pair["share"]))[:MOST_PAIRS]


def _f1_span(classes: list[dict[str, Any]]) -> tuple[float, float]:
    """The range of F1 that holds every class's interval."""
    known = [row for row in classes if row["f1"] is not None]
    return domain(min(row["f1_low"] for row in known), max(row["f1_high"] for row in known)) if known else (0.0, 1.0)


def _readable(mistake: dict[str, Any]) -> dict[str, Any]:
    """A mistake with its texts cut to what fits a page."""
    texts = [str(value) for value in mistake["inputs"].values() if value]
    cut = [text if len(text) <= MOST_TEXT else text[:MOST_TEXT].rstrip() + " …" for text in texts]
    return {**mistake, "texts": cut, "said": _joined(mistake["prediction"]), "wanted": _joined(mistake["label"])}


def _joined(answer: str | list[str]) -> str:
    return answer if isinstance(answer, str) else ", ".join(answer)
