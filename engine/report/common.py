"""The sections that the report of every task has, from the JSON of report.json.

Knows that JSON. Each function makes one section, or None where the report lacks what it shows: reports of old runs and of runs without
baselines render too. What is a task's own the task adds between the comparison and the slices (`TaskSpec.report_sections`). Does not
know HTML or Markdown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.core.text import Text
from engine.evaluation.insights import TITLES
from engine.evaluation.metric_format import SHARES, count, metric_help, metric_name, number, percent
from engine.evaluation.slices import KINDS
from engine.evaluation.verdict import RULE
from engine.report.run_facts import describe_run
from engine.sections import (
    Axis,
    Beside,
    Block,
    Cell,
    Column,
    Definitions,
    Estimate,
    Fold,
    Line,
    Lines,
    Notice,
    Notices,
    Paragraph,
    Remarks,
    Section,
    Series,
    Table,
    Unit,
    Verdict,
    Whisker,
    Whiskers,
    Words,
)
from engine.tasks import TASKS
from engine.tasks.spec import TaskSpec

TUNED = Text("Tuned model", "微调后的模型")
FOOTER = Text(
    "The test rows chose nothing: neither the checkpoint nor a setting. Intervals are bootstrap intervals over the test rows; differences are paired.",
    "测试集没有参与任何选择：既不用来挑检查点，也不用来调设置。置信区间由对测试集自助采样得到，差距为成对比较。",
)


def report_sections(report: dict[str, Any]) -> list[Section]:
    """Every section of a report in the order in which it is read."""
    task = TASKS[report["task"]]
    sections = [
        verdict(report, task),
        comparison(report, task),
        learning(report),
        *task.report_sections(report),
        slices(report),
        calibration(report),
        more_data(report),
        run(report),
    ]
    return [section for section in sections if section is not None]


def report_title(report: dict[str, Any]) -> Text:
    model = report["run"].get("model")
    return (
        Text(f"Evaluation report · {model}", f"评估报告 · {model}") if model else Text("Evaluation report", "评估报告")
    )


def verdict(report: dict[str, Any], task: TaskSpec) -> Section:
    """The conclusion, the headline metric and the insights behind it."""
    headline, conclusion = report["headline"], report["verdict"]
    rows, sure = count(headline["rows"]), percent(headline["confidence"])
    estimate = _estimate(report, headline)
    low, high = (number(headline["metric"], headline[end], headline["rows"]) for end in ("low", "high"))
    note = Text(
        f"on {rows} test rows; {sure} interval {low} to {high}",
        f"{rows} 行测试数据；{sure} 置信区间 {low} 到 {high}",
    )
    shown = Verdict(
        conclusion["level"],
        Text.from_dict(conclusion["label"]),
        Text.from_dict(conclusion["sentence"]),
        Text.from_dict(headline["label"]),
        estimate,
        note,
    )
    insights = tuple(insight_lines(report, task))
    return Section("verdict", "", (shown, *((Remarks(insights),) if insights else ())))


def insight_lines(report: dict[str, Any], task: TaskSpec) -> list[tuple[Words, Line]]:
    """Title and text of each insight."""
    titles = {**TITLES, **task.insight_titles}
    return [
        (titles.get(entry["kind"], entry["kind"]), Text.from_dict(entry["text"]))
        for entry in report["verdict"]["points"]
    ]


def comparison(report: dict[str, Any], task: TaskSpec) -> Section:
    """The tuned model beside the baselines, on the headline metric as a chart and on all metrics as a table."""
    headline, baselines = report["headline"], list(report["baselines"].values())
    metric = headline["metric"]
    contenders = [Whisker(TUNED, _estimate(report, headline), strong=True)]
    for baseline in baselines:
        low, high = baseline["intervals"][metric]
        value = baseline["metrics"][metric]
        contenders.append(
            Whisker(Text.from_dict(baseline["label"]), _estimate(report, {"value": value, "low": low, "high": high}))
        )
    contenders.sort(key=lambda one: -one.estimate.value)
    table = Table(
        (
            Column(Text("Metric", "指标")),
            Column(TUNED, "estimate"),
            *(Column(Text.from_dict(baseline["label"]), "number") for baseline in baselines),
        ),
        tuple(metric_rows(report)),
    )
    if not baselines:
        return Section("metrics", Text("Metrics", "各项指标"), (table,))
    meanings: list[tuple[Words, Line]] = [
        (Text.from_dict(baseline["label"]), Text.from_dict(baseline["about"])) for baseline in baselines
    ]
    for name in report["test"]:
        meaning = task.metric_help.get(name) or metric_help(name)
        if meaning is not None:
            meanings.append((metric_name(name), meaning))
    meanings.append((Text("Verdict", "结论"), RULE))
    return Section(
        "comparison",
        Text("Against simple methods", "与简单方法比较"),
        (
            Whiskers(tuple(contenders), Text.from_dict(headline["label"]), _unit(metric)),
            table,
            Fold(
                Text("What these are, and how the verdict is reached", "这些是什么，结论如何得出"),
                (Definitions(tuple(meanings)),),
            ),
        ),
        Text(
            "The same test rows for all. The bar around each dot is where the true value probably lies.",
            "所有方法使用同一份测试集。圆点两侧的横线表示真实值可能的范围。",
        ),
    )


def metric_rows(report: dict[str, Any]) -> list[tuple[Cell, ...]]:
    """Every metric of the tuned model with its interval, beside what the baselines reach."""
    rows = report["headline"]["rows"]
    lines: list[tuple[Cell, ...]] = []
    for name, value in report["test"].items():
        low, high = report["intervals"].get(name) or (value, value)
        interval = f"{number(name, low, rows)} – {number(name, high, rows)}" if name in report["intervals"] else ""
        others = (
            number(name, baseline["metrics"][name], rows) if name in baseline["metrics"] else ""
            for baseline in report["baselines"].values()
        )
        lines.append((metric_name(name), Estimate(value, low, high, number(name, value, rows), interval), *others))
    return lines


def learning(report: dict[str, Any]) -> Section | None:
    """Losses and the headline metric over the epochs."""
    history = report["run"].get("history") or []
    if len(history) < 2:
        return None
    best, metric = report["run"].get("best_epoch"), report["headline"]["metric"]

    def series(name: Words, kind: str, read: Callable[[dict[str, Any]], float | None]) -> Series | None:
        points = tuple((entry["epoch"], value) for entry in history if (value := read(entry)) is not None)
        ringed = frozenset(i for i, (x, _) in enumerate(points) if best is not None and abs(x - best) < 1e-6)
        if not points:
            return None
        return Series(name, points, kind, dots=True, ringed=frozenset() if kind == "train" else ringed)

    def of_validation(name: str) -> Callable[[dict[str, Any]], float | None]:
        return lambda entry: (entry.get("validation") or {}).get(name)

    losses = (
        series(Text("training", "训练"), "train", lambda entry: entry.get("train_loss")),
        series(Text("validation", "验证"), "validation", of_validation("loss")),
    )
    scores = (series(Text.from_dict(report["headline"]["label"]), "metric", of_validation(metric)),)
    epochs = Axis(Text("epoch", "轮"))
    charts: list[Block] = []
    if shown := tuple(one for one in losses if one is not None):
        top = max(y for one in shown for _, y in one.points)
        charts.append(Lines(Text("Loss", "损失"), shown, epochs, Axis(span=(0.0, 1.08 * top or 1.0))))
    if shown := tuple(one for one in scores if one is not None):
        label = report["headline"]["label"]
        title = Text(f"On the validation rows: {label['en']}", f"验证集上的{label['zh']}")
        charts.append(Lines(title, shown, epochs, Axis(unit=_unit(metric))))
    if not charts:
        return None
    return Section(
        "learning",
        Text("How it learned", "学习过程"),
        (Beside(tuple(charts)),),
        Text(
            "While it learns, validation loss falls with training loss. Where the two part, it begins to memorise. The ring marks the checkpoint that was kept.",
            "正常学习时，验证损失会随训练损失一起下降；两条线分开，说明模型开始死记硬背。圆圈标出最终保留的检查点。",
        ),
    )


def slices(report: dict[str, Any]) -> Section | None:
    """The headline metric on parts of the test rows."""
    parts = report.get("slices") or []
    charts = []
    for kind, name in KINDS.items():
        members = [part for part in parts if part["kind"] == kind]
        rows = tuple(
            Whisker(
                Text.from_dict(part["name"]),
                _estimate(report, part, part["n"]),
                Text(f"of {count(part['n'])}", f"共 {count(part['n'])} 行"),
            )
            for part in members
        )
        if rows:
            headline = report["headline"]
            label = Text.from_dict(headline["label"])
            charts.append(Whiskers(rows, label, _unit(headline["metric"]), name, headline["value"]))
    if not charts:
        return None
    return Section(
        "slices",
        Text("Where it does better or worse", "在哪些数据上更好或更差"),
        tuple(charts),
        Text(
            "The same metric on parts of the test rows. The dashed line is the metric on all of them.",
            "同一指标在测试集各部分上的表现。虚线为全部测试数据上的值。",
        ),
    )


def calibration(report: dict[str, Any]) -> Section | None:
    """Confidence against the share of right answers."""
    measured = report.get("calibration") or {}
    bins = [one for one in measured.get("bins") or [] if one.get("count")]
    if not bins:
        return None
    points = tuple((one["confidence"], one["accuracy"]) for one in bins)
    corner = min(0.5, *(min(point) for point in points))
    chart = Lines(
        Text("How often it is right ↑ by how sure it is →", "实际答对的比例 ↑ 与置信度 →"),
        (
            Series(
                Text("right", "正确率"),
                points,
                dots=True,
                notes=tuple(f"n = {count(one['count'])}" for one in bins),
            ),
        ),
        Axis(Text("confidence", "置信度"), "percent", (corner, 1.0)),
        Axis(unit="percent", span=(corner, 1.0)),
        diagonal=True,
        hints=(Text("too cautious", "过于保守"), Text("too sure", "过于自信")),
    )
    ece, worst = percent(measured["ece"], 1), 1 if report.get("multi_label", True) else 2
    text = Text(
        "Each dot is a group of answers of about equal size. On the dashed line, 80% sure means right 8 times in 10. "
        f"On average, confidence is off by {ece} (expected calibration error, {len(bins)} bins of equal size). "
        f"Brier score: {measured['brier']:.3f} (0 is perfect, {worst} the worst).",
        "每个圆点代表数量大致相同的一组回答。落在虚线上，说“80% 确定”就意味着十次里答对八次。"
        f"置信度平均偏差 {ece}（期望校准误差，{len(bins)} 个等量分组）。"
        f"Brier 分数：{measured['brier']:.3f}（0 为完美，{worst} 为最差）。",
    )
    return Section(
        "calibration", Text("Can its confidence be trusted?", "它的置信度可信吗？"), (Beside((chart, Paragraph(text))),)
    )


def more_data(report: dict[str, Any]) -> Section | None:
    """What the keyword baseline gains from more rows, and what follows for the model."""
    more = report.get("more_data")
    if not more:
        return None
    sizes = tuple(float(size) for size in more["sizes"])
    chart = Lines(
        Text("The keyword baseline, by training rows", "关键词基线随训练数据增加的变化"),
        (Series(Text("keywords", "关键词"), tuple(zip(sizes, more["scores"], strict=True)), "metric-2", dots=True),),
        Axis(Text("rows", "行"), "count", ticks=sizes, logarithmic=True),
        Axis(unit=_unit(report["headline"]["metric"])),
    )
    # The sentence is an insight already and is not repeated.
    known = any(entry["kind"] == "more_data" for entry in report["verdict"]["points"])
    text = () if known else (Paragraph(Text.from_dict(more["says"])),)
    return Section(
        "more_data",
        Text("Would more data help?", "更多数据有帮助吗？"),
        (Beside((chart, *text)),) if text else (chart,),
    )


def run(report: dict[str, Any]) -> Section:
    """The facts of the run, and what was noticed on the way."""
    facts = report["run"]
    blocks: list[Block] = [Definitions(tuple(describe_run(facts)))]
    if notices := facts.get("notices"):
        blocks.append(
            Notices(tuple(Notice(Text.from_dict(one["message"]), one.get("severity", "info")) for one in notices))
        )
    return Section("run", Text("What was run", "运行信息"), tuple(blocks))


def _estimate(report: dict[str, Any], part: dict[str, Any], rows: int | None = None) -> Estimate:
    """A value of the headline metric with the digits that `rows` test rows can carry."""
    metric, rows = report["headline"]["metric"], rows or report["headline"]["rows"]
    value, low, high = (number(metric, part[key], rows) for key in ("value", "low", "high"))
    return Estimate(part["value"], part["low"], part["high"], value, f"{low} – {high}")


def _unit(metric: str) -> Unit:
    return "percent" if metric in SHARES else "number"
