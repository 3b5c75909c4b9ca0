"""A report's parts in the order and amount they are read in: what is shown at once, what waits, what is left out.

Knows the JSON of a report and returns what both templates show. Does not know HTML or Markdown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.evaluation.charts import Series, domain
from engine.evaluation.verdict import RULE
from engine.evaluation.words import METRIC_HELP, SHARES, metric_name, number
from engine.text import Text

MOST_MATRIX = 25  # classes; a larger matrix cannot be read, the most confused pairs can
MOST_PAIRS = 20
FIRST_CLASSES = 12
FIRST_MISTAKES = 12
MOST_TEXT = 600  # characters of a text shown with a mistake

POINT_TITLES: dict[str, Text] = {
    "keyword_baseline": Text("Against keywords", "与关键词相比"),
    "untuned": Text("What training added", "微调带来的提升"),
    "small_test": Text("Small test set", "测试集较小"),
    "leakage": Text("Rows seen before", "见过的数据"),
    "unseen_labels": Text("Unknown labels", "未知标签"),
    "imbalance": Text("Uneven classes", "类别不均衡"),
    "weak_classes": Text("Where it is weak", "薄弱之处"),
    "untested_classes": Text("Not tested", "未经测试"),
    "truncation": Text("Long texts", "长文本"),
    "calibration": Text("Its confidence", "置信度"),
    "overfitting": Text("Overfitting", "过拟合"),
    "shift": Text("Harder test rows", "测试集偏难"),
    "label_noise": Text("Doubtful labels", "可疑标签"),
    "more_data": Text("Would more data help?", "更多数据有帮助吗？"),
}


def arrange(report: dict[str, Any]) -> dict[str, Any]:
    """What the templates show. A part that the report lacks is empty or None."""
    headline = report["headline"]
    rows, metric = headline["rows"], headline["metric"]
    classes = sorted(report.get("classes") or [], key=lambda row: (row["f1"] is None, row["f1"] or 0.0))
    mistakes = [_readable(mistake) for mistake in report.get("mistakes") or []]
    confusion = report.get("confusion") or {}
    small = len(confusion.get("labels", [])) <= MOST_MATRIX
    return {
        "report": report,
        "metric": metric,
        "rows": rows,
        "value": number(metric, headline["value"], rows),
        "low": number(metric, headline["low"], rows),
        "high": number(metric, headline["high"], rows),
        "titles": POINT_TITLES,
        "contenders": _contenders(report),
        "metrics": _metrics(report, rows),
        "history": report["run"].get("history") or [],
        "classes": classes,
        "f1_span": _f1_span(classes),
        "rule": RULE,
        "first_classes": len(classes) if len(classes) <= MOST_MATRIX else FIRST_CLASSES,
        "matrix": confusion if small and "matrix" in confusion else None,
        "pairs": confused_pairs(report),
        "per_class": list(zip(confusion["labels"], confusion["per_class"], strict=True))
        if "per_class" in confusion
        else None,
        "mistakes": mistakes,
        "first_mistakes": FIRST_MISTAKES,
        "calibration": report.get("calibration"),
        "slices": [
            {**part, "label": Text.from_dict(part["name"]), "tuned": False} for part in report.get("slices") or []
        ],
        "model": report["run"].get("model") or "",
        "notices": report["run"].get("notices") or [],
        "more_data": _more_data(report.get("more_data")),
        "percent_or_score": axis_number(metric),
        "score": "{:g}".format,
        **_curves(report),
    }


def axis_number(metric: str) -> Callable[[float], str]:
    """How a metric is written at an axis: 80% or 0.8."""
    return (lambda value: f"{100 * value:g}%") if metric in SHARES else "{:g}".format


def _curves(report: dict[str, Any]) -> dict[str, list[Series]]:
    """Lines over the epochs: `losses` of training and validation, `progress` of the headline metric on the validation rows."""
    history = report["run"].get("history") or []
    best, metric = report["run"].get("best_epoch"), report["headline"]["metric"]

    def series(name: Text, style: str, read: Callable[[dict[str, Any]], float | None]) -> list[Series]:
        points = [(entry["epoch"], value) for entry in history if (value := read(entry)) is not None]
        return [Series(name, points, style, None if style == "train" else best)] if points else []

    train = series(Text("training", "训练"), "train", lambda entry: entry.get("train_loss"))
    held = series(Text("validation", "验证"), "tuned", lambda entry: (entry.get("validation") or {}).get("loss"))
    progress = series(Text("", ""), "tuned", lambda entry: (entry.get("validation") or {}).get(metric))
    return {"losses": train + held, "progress": progress}


def _more_data(more: dict[str, Any] | None) -> dict[str, Any] | None:
    return more and {**more, "points": list(zip(more["sizes"], more["scores"], strict=True))}


def _f1_span(classes: list[dict[str, Any]]) -> tuple[float, float]:
    """The range of F1 that holds every class's interval."""
    known = [row for row in classes if row["f1"] is not None]
    return domain(min(row["f1_low"] for row in known), max(row["f1_high"] for row in known)) if known else (0.0, 1.0)


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


def _contenders(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The tuned model and the baselines on the headline metric, best first, the tuned model marked."""
    headline = report["headline"]
    metric = headline["metric"]
    found = [
        {
            "label": Text("Tuned model", "微调后的模型"),
            "about": None,
            "tuned": True,
            "n": None,
            **{key: headline[key] for key in ("value", "low", "high")},
        }
    ]
    for baseline in report["baselines"].values():
        low, high = baseline["intervals"][metric]
        found.append(
            {
                "label": Text.from_dict(baseline["label"]),
                "about": Text.from_dict(baseline["about"]),
                "tuned": False,
                "n": None,
                "value": baseline["metrics"][metric],
                "low": low,
                "high": high,
            }
        )
    return sorted(found, key=lambda one: -one["value"])


def _metrics(report: dict[str, Any], rows: int) -> list[dict[str, Any]]:
    """Every metric with its interval, beside what the baselines reach."""
    found = []
    for name, value in report["test"].items():
        ends = report["intervals"].get(name)
        found.append(
            {
                "name": metric_name(name),
                "help": METRIC_HELP.get(name),
                "value": number(name, value, rows),
                "interval": f"{number(name, ends[0], rows)} – {number(name, ends[1], rows)}" if ends else "",
                "baselines": [
                    number(name, baseline["metrics"][name], rows) if name in baseline["metrics"] else ""
                    for baseline in report["baselines"].values()
                ],
            }
        )
    return found


def _readable(mistake: dict[str, Any]) -> dict[str, Any]:
    """A mistake with its texts cut to what fits a page."""
    texts = [str(value) for value in mistake["inputs"].values() if value]
    cut = [text if len(text) <= MOST_TEXT else text[:MOST_TEXT].rstrip() + " …" for text in texts]
    return {**mistake, "texts": cut, "said": _joined(mistake["prediction"]), "wanted": _joined(mistake["label"])}


def _joined(answer: str | list[str]) -> str:
    return answer if isinstance(answer, str) else ", ".join(answer)
