"""A report's parts in the order and amount they are read in: what is shown at once, what waits, what is left out.

Knows the JSON that every report has and returns what both templates show; what is a task's own it asks of that task's layout.
Does not know HTML or Markdown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.core.text import Text
from engine.evaluation.metric_format import SHARES, metric_help, metric_name, number
from engine.evaluation.slices import KINDS
from engine.evaluation.verdict import RULE
from engine.report.charts import Series
from engine.tasks.classification import layout as classification
from engine.tasks.ner import layout as ner
from engine.tasks.qa import layout as qa
from engine.tasks.summarization import layout as summarization

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
    "short_of_time": Text("Short training", "训练时间有限"),
    "memory": Text("Against memory", "与照搬训练集相比"),
    "generalisation": Text("New entities", "新实体"),
    "main_error": Text("What goes wrong", "主要错误"),
    "weak_types": Text("Where it is weak", "薄弱之处"),
    "untested_types": Text("Not tested", "未经测试"),
    "unknown_types": Text("Unknown types", "未知类型"),
    "shift": Text("Harder test rows", "测试集偏难"),
    "label_noise": Text("Doubtful labels", "可疑标签"),
    "exact_match": Text("Word for word", "逐字比较"),
    "word_overlap": Text("Against word overlap", "与词语重合相比"),
    "silence": Text("Questions without an answer", "没有答案的问题"),
    "threshold": Text("When it keeps silent", "何时不作答"),
    "weak_questions": Text("Where it is weak", "薄弱之处"),
    "more_data": Text("Would more data help?", "更多数据有帮助吗？"),
    "sample": Text("A sample", "抽样评估"),
    "faithful": Text("True to the document", "忠实于原文"),
    "strange": Text("It invents", "存在编造"),
    "repetition": Text("It repeats itself", "内容重复"),
    "length": Text("Length", "长度"),
}


def arrange(report: dict[str, Any]) -> dict[str, Any]:
    """What the templates show. A part that the report lacks is empty or None."""
    headline = report["headline"]
    rows, metric = headline["rows"], headline["metric"]
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
        "rule": RULE,
        "calibration": report.get("calibration"),
        "slices": [
            {**part, "label": Text.from_dict(part["name"]), "tuned": False} for part in report.get("slices") or []
        ],
        "slice_kinds": KINDS,
        "model": report["run"].get("model") or "",
        "notices": report["run"].get("notices") or [],
        "more_data": _more_data(report.get("more_data")),
        "percent_or_score": axis_number(metric),
        "score": "{:g}".format,
        **_curves(report),
        **_BODIES[report["task"]](report),
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
                "help": metric_help(report["task"], name),
                "value": number(name, value, rows),
                "interval": f"{number(name, ends[0], rows)} – {number(name, ends[1], rows)}" if ends else "",
                "baselines": [
                    number(name, baseline["metrics"][name], rows) if name in baseline["metrics"] else ""
                    for baseline in report["baselines"].values()
                ],
            }
        )
    return found


# What each task shows between the comparison and what is common to all again: the variables of its own templates.
_BODIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "classification": classification.body,
    "ner": ner.body,
    "qa": qa.body,
    "summarization": summarization.body,
}
