"""The sections that only a classification report has: classes, what is confused with what, mistakes; and the rows behind a pick.

Knows the JSON of the report and predictions.jsonl. Does not know how a section is drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.core.text import Text
from engine.evaluation.metric_format import count, percent
from engine.sections import (
    Bar,
    Bars,
    Block,
    Cell,
    Column,
    Estimate,
    Fold,
    Line,
    Matrix,
    Paragraph,
    Record,
    Records,
    RecordText,
    Section,
    Span,
    Table,
    axis_span,
    clipped,
)
from engine.tasks.classification.rows import confusion_rows

MOST_MATRIX = 25  # classes; in a larger matrix the most confused pairs come first
MATRIX_AT_A_GLANCE = 8  # classes; above, pairs are named beside the matrix
CUT_MATRIX = 30  # classes of a matrix that is cut to those most confused
MOST_PAIRS = 20
FIRST_CLASSES = 12
FIRST_MISTAKES = 8
PICKED_ROWS = 12
MOST_TEXT = 600  # characters of a text shown with a mistake

CONFUSION = Text("What it mixes up", "容易混淆的类别")
NONE = Text("none", "无")
TAKEN_FOR = Text("“{label}” taken for “{prediction}”", "“{label}”被误判为“{prediction}”")


def report_sections(report: dict[str, Any]) -> list[Section]:
    sections = (_classes(report), _confusion(report), _mistakes(report))
    return [section for section in sections if section is not None]


def _classes(report: dict[str, Any]) -> Section | None:
    """Every class with its scores, the weakest first."""
    classes = sorted(report.get("classes") or [], key=lambda row: (row["f1"] is None, row["f1"] or 0.0))
    if not classes:
        return None
    known = [row for row in classes if row["f1"] is not None]
    span = axis_span(min(row["f1_low"] for row in known), max(row["f1_high"] for row in known)) if known else (0.0, 1.0)
    columns = (
        Column(Text("Class", "类别"), "label"),
        Column("F1", "meter", span=span, mark=report["test"].get("macro_f1")),
        Column(Text("Precision", "精确率"), "number", minor=True),
        Column(Text("Recall", "召回率"), "number", minor=True),
        Column(Text("Test rows", "测试行数"), "number"),
        Column(Text("Training rows", "训练行数"), "number", minor=True),
        Column(Text("Taken for", "被误判为"), minor=True),
    )
    rows = tuple(
        (
            row["label"],
            f1_estimate(row),
            score(row["precision"]),
            score(row["recall"]),
            count(row["support"]),
            count(row["train_support"]),
            ", ".join(f"{other['label']} ({other['count']})" for other in (row.get("confused_with") or [])[:2]),
        )
        for row in classes
    )
    first = None if len(rows) <= MOST_MATRIX else FIRST_CLASSES
    others = len(rows) - FIRST_CLASSES
    return Section(
        "classes",
        Text("Class by class", "各类别表现"),
        (Table(columns, rows, first, Text(f"The other {others} classes", f"其余 {others} 个类别")),),
        Text(
            "Weakest first. Precision: how many of its answers are right. Recall: how many of the class it finds. F1 is high only when both are. "
            "The dashed line is the mean F1 of all classes.",
            "从最弱的类别开始。精确率：判为该类的有多少是对的；召回率：该类中有多少被找到；两者都高，F1 才高。虚线是各类别 F1 的平均值。",
        ),
    )


def f1_estimate(row: dict[str, Any]) -> Cell:
    """F1 with its interval, or that no test row has the class."""
    if row["f1"] is None:
        return Text("not tested", "无测试数据")
    interval = f"{row['f1_low']:.2f} – {row['f1_high']:.2f}"
    return Estimate(row["f1"], row["f1_low"], row["f1_high"], f"{row['f1']:.2f}", interval)


def score(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _confusion(report: dict[str, Any]) -> Section | None:
    """The confusion matrix, its largest cells by name, or one table of labels where a text may have several."""
    confusion = report.get("confusion") or {}
    if "per_class" in confusion:
        return _per_label(confusion)
    if not confusion.get("matrix"):
        return None
    labels, counts = confusion["labels"], confusion["matrix"]
    names = [str(index) for index in range(len(labels))]
    pairs = _pairs(report)
    if len(labels) <= MOST_MATRIX:
        matrix = _matrix(labels, counts, names)
        blocks: tuple[Block, ...] = (pairs, matrix) if pairs and len(labels) > MATRIX_AT_A_GLANCE else (matrix,)
        lead = Text(
            "Rows are the true classes, columns the answers; the diagonal is right. The darker a cell, the larger its share.",
            "每行是真实类别，每列是模型的回答，对角线为答对。颜色越深，占比越大。",
        )
        return Section("confusion", CONFUSION, blocks, lead)
    if pairs is None:
        text = Text("Nothing: every test row was answered right.", "没有：全部测试数据都答对了。")
        return Section("confusion", CONFUSION, (Paragraph(text),))
    wrong = [sum(counts[i]) + sum(row[i] for row in counts) - 2 * counts[i][i] for i in range(len(labels))]
    kept = sorted(sorted(range(len(labels)), key=lambda i: -wrong[i])[:CUT_MATRIX])
    cut = _matrix([labels[i] for i in kept], [[counts[i][j] for j in kept] for i in kept], [names[i] for i in kept])
    fold = Fold(
        Text(
            f"The {len(kept)} most confused classes as a matrix",
            f"混淆最多的 {len(kept)} 个类别的矩阵",
        ),
        (cut,),
    )
    lead = Text(
        f"With {len(labels)} classes a matrix cannot be read. These are the mix-ups that happen most; the bar is their share of the true class.",
        f"类别有 {len(labels)} 个，混淆矩阵难以阅读。以下是最常见的混淆，条形表示占真实类别的比例。",
    )
    return Section("confusion", CONFUSION, (pairs, fold), lead)


def _matrix(labels: list[str], counts: list[list[int]], names: list[str]) -> Matrix:
    return Matrix(
        tuple(labels),
        tuple(tuple(row) for row in counts),
        Text("true ↓ answer →", "真实 ↓ 回答 →"),
        Text(
            "{count} rows of “{row}” answered “{column}”",
            "真实为“{row}”、回答为“{column}”的有 {count} 行",
        ),
        tuple(names),
    )


def _pairs(report: dict[str, Any]) -> Bars | None:
    """The most frequent confusions by name."""
    pairs = confused_pairs(report)
    if not pairs:
        return None
    index = {label: number for number, label in enumerate(report["confusion"]["labels"])}
    bars = []
    for pair in pairs:
        rows = round(pair["count"] / pair["share"])
        bars.append(
            Bar(
                TAKEN_FOR.format(label=pair["label"], prediction=pair["prediction"]),
                pair["share"],
                Text(f"{count(pair['count'])} of {count(rows)}", f"{count(rows)} 行中 {count(pair['count'])} 行"),
                tone="bad",
                pick=f"{index[pair['label']]},{index[pair['prediction']]}",
            )
        )
    return Bars(tuple(bars), (Text("Confusion", "混淆"), Text("Rows", "行数")))


def confused_pairs(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells off the diagonal with the most rows: label, prediction, count, and the share of the label's rows."""
    confusion = report["confusion"]
    labels = confusion["labels"]
    pairs = []
    for label, row in zip(labels, confusion["matrix"], strict=True):
        for prediction, number in zip(labels, row, strict=True):
            if number and label != prediction:
                pairs.append({"label": label, "prediction": prediction, "count": number, "share": number / sum(row)})
    return sorted(pairs, key=lambda pair: (-pair["count"], -pair["share"]))[:MOST_PAIRS]


def _per_label(confusion: dict[str, Any]) -> Section:
    """For each label the true and false positives and negatives."""

    def cell(number: int, kind: str, pick: str, title: str) -> Cell:
        return Span(count(number), kind, title=title, pick=pick) if number else "0"

    names = (
        Text("Found", "找到"),
        Text("Missed", "漏掉"),
        Text("Wrongly given", "误加"),
        Text("Rightly left out", "正确未加"),
    )
    rows = tuple(
        (
            label,
            cell(true_positives, "right", f"{index},{index}", f"{label}: {names[0].en}"),
            cell(missed, "wrong", f"{index},-", f"{label}: {names[1].en}"),
            cell(added, "wrong", f"-,{index}", f"{label}: {names[2].en}"),
            count(left),
        )
        for index, (label, ((left, added), (missed, true_positives))) in enumerate(
            zip(confusion["labels"], confusion["per_class"], strict=True)
        )
    )
    columns = (Column(Text("Label", "标签"), "label"), *(Column(name, "number") for name in names))
    lead = Text(
        "For each label: how often it was found, missed, and given where it does not belong.",
        "对每个标签：找到、漏掉和误加的次数。",
    )
    return Section("confusion", CONFUSION, (Table(columns, rows),), lead)


def _mistakes(report: dict[str, Any]) -> Section | None:
    mistakes = report.get("mistakes") or []
    if not mistakes:
        return None
    wrong, rows, more = (
        count(report["mistake_count"]),
        count(report["headline"]["rows"]),
        len(mistakes) - FIRST_MISTAKES,
    )
    return Section(
        "mistakes",
        Text("Its worst mistakes", "最严重的错误"),
        (
            Records(
                tuple(_record(mistake) for mistake in mistakes),
                first=FIRST_MISTAKES,
                rest=Text(f"{more} more", f"再看 {more} 条"),
            ),
        ),
        Text(
            f"{wrong} of {rows} test rows were answered wrong. The worst come first, those it was surest of: they show what it misunderstands, or where a label is wrong.",
            f"{rows} 行测试数据中答错 {wrong} 行。越自信的错误越靠前：要么是模型理解有误，要么是标签本身有误。",
        ),
    )


def _record(row: dict[str, Any]) -> Record:
    """A test row with its label and answer; an answer that may be right where the label is not is marked so."""
    texts = tuple(RecordText(clipped(str(value), MOST_TEXT)) for value in row["inputs"].values() if value)
    label, prediction = _joined(row["target"] if "target" in row else row["label"]), _joined(row["prediction"])
    right = label == prediction
    sure = percent(row["confidence"])
    facts: list[Line] = [
        Text(f"row {row['row']}", f"第 {row['row']} 行"),
        (Text("label ", "标签 "), Span(label or NONE, "gold")),
        (Text("answer ", "回答 "), Span(prediction or NONE, "gold" if right else "wrong")),
        Text(f"{sure} sure", f"置信度 {sure}"),
    ]
    if row.get("likely_mislabelled"):
        facts.append(Span(Text("Is the label right?", "标签对吗？"), "doubt"))
    return Record(texts, tuple(facts))


def _joined(answer: str | list[str]) -> str:
    return answer if isinstance(answer, str) else ", ".join(answer)


def picked_rows(directory: Path, report: dict[str, Any], pick: str) -> Section:
    """The test rows behind a cell: `row,column` by the numbers of their labels, `-` for none. KeyError or ValueError for no cell."""
    labels = report["confusion"]["labels"]
    label, prediction = (None if part == "-" else labels[int(part)] for part in pick.split(","))
    rows = confusion_rows(directory, label, prediction, PICKED_ROWS)
    shown = count(len(rows))
    if label == prediction:
        title = Text(f"“{label}”, answered right ({shown} shown)", f"“{label}”，回答正确（显示 {shown} 行）")
    else:
        pair = TAKEN_FOR.format(label=label or "–", prediction=prediction or "–")
        title = Text(f"{pair.en} ({shown} shown)", f"{pair.zh}（显示 {shown} 行）")
    return Section("picked", title, (Records(tuple(_record(row) for row in rows)),))
