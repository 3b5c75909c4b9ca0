"""The sections that only an entity report has: types, known and new entities, lenient scores, errors; and the texts behind a pick.

Knows the JSON of the report and predictions.jsonl. Does not know how a section is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.core.text import Text
from engine.evaluation.metric_format import count
from engine.sections import (
    Bar,
    Bars,
    Block,
    Cell,
    Choice,
    Choices,
    Column,
    Estimate,
    Line,
    Paragraph,
    Record,
    Records,
    RecordText,
    Section,
    Span,
    Table,
    Words,
    axis_span,
)
from engine.tasks.ner.marks import colours, runs, window
from engine.tasks.ner.report_words import ERROR_HELP, ERROR_NAMES, OUTCOME_NAMES, SCHEMA_HELP, SCHEMA_NAMES, SEEN_NAMES
from engine.tasks.ner.rows import error_rows

FIRST_TYPES = 15
PAIRS_SHOWN = 8
ROWS_SHOWN = 12
ERRORS_READ = 60  # among which those in one piece of text are shown together
MISTAKES_SHOWN = 6

ERRORS = Text("What goes wrong", "错在哪里")
PAIR_NAMES: dict[str, Text] = {
    "missed": Text("“{label}” missed", "漏掉“{label}”"),
    "invented": Text("“{label}” invented", "误报“{label}”"),
    "boundary": Text("“{label}” with a wrong boundary", "“{label}”边界错误"),
    "type": Text("“{label}” taken for “{prediction}”", "“{label}”被误判为“{prediction}”"),
    "both": Text("“{label}” taken for “{prediction}”", "“{label}”被误判为“{prediction}”"),
}

Colours = Mapping[str, int]
Spans = Sequence[dict[str, Any]]


def report_sections(report: dict[str, Any]) -> list[Section]:
    sections = (_types(report), _seen(report), _lenient(report), _errors(report), _mistakes(report))
    return [section for section in sections if section is not None]


def _colours(report: dict[str, Any]) -> Colours:
    return colours([row["label"] for row in report["types"]])


def _types(report: dict[str, Any]) -> Section:
    """Every type with its scores, the weakest first."""
    types = sorted(report["types"], key=lambda row: (row["f1"] is None, row["f1"] or 0.0))
    known = [row for row in types if row["f1"] is not None]
    span = axis_span(min(row["f1_low"] for row in known), max(row["f1_high"] for row in known)) if known else (0.0, 1.0)
    named = _colours(report)
    columns = (
        Column(Text("Type", "类型")),
        Column("F1", "meter", span=span, mark=report["test"].get("macro_f1")),
        Column(Text("Precision", "精确率"), "number", minor=True),
        Column(Text("Recall", "召回率"), "number", minor=True),
        Column(Text("Test entities", "测试实体"), "number"),
        Column(Text("Training entities", "训练实体"), "number", minor=True),
    )
    rows = tuple(
        (
            Span(row["label"], "type", color=named[row["label"]]),
            _f1(row),
            _score(row["precision"]),
            _score(row["recall"]),
            count(row["support"]),
            count(row["train_support"]),
        )
        for row in types
    )
    others = len(rows) - FIRST_TYPES
    return Section(
        "types",
        Text("Type by type", "各类型表现"),
        (Table(columns, rows, FIRST_TYPES, Text(f"The other {others} types", f"其余 {others} 个类型")),),
        Text(
            "Weakest first. An entity counts as found only when its beginning, its end and its type are all right. The dashed line is the mean of all types.",
            "从最弱的类型排起。起点、终点和类型都正确才算找到。虚线是各类型的平均值。",
        ),
    )


def _f1(row: dict[str, Any]) -> Cell:
    if row["f1"] is None:
        return Text("not tested", "无测试数据")
    interval = f"{row['f1_low']:.2f} – {row['f1_high']:.2f}"
    return Estimate(row["f1"], row["f1_low"], row["f1_high"], f"{row['f1']:.2f}", interval)


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _seen(report: dict[str, Any]) -> Section | None:
    """Entities by whether the training rows had them."""
    parts = {name: part for name, part in report["seen"].items() if part["gold"]}
    if not parts:
        return None

    def estimate(part: dict[str, float]) -> Estimate:
        value, low, high = part["value"], part["low"], part["high"]
        return Estimate(value, low, high, f"{value:.2f}", f"{low:.2f} – {high:.2f}")

    columns = (
        Column(Text("Entities that", "实体")),
        Column("F1", "estimate"),
        Column(Text("Found (recall)", "找到的比例（召回率）"), "estimate"),
        Column(Text("Right (precision)", "判对的比例（精确率）"), "estimate", minor=True),
        Column(Text("Test entities", "测试实体"), "number"),
    )
    rows = tuple(
        (
            SEEN_NAMES[name],
            estimate(part["f1"]),
            estimate(part["recall"]),
            estimate(part["precision"]),
            count(part["gold"]),
        )
        for name, part in parts.items()
    )
    return Section(
        "seen",
        Text("Entities it knew, and new ones", "见过的实体与新实体"),
        (Table(columns, rows),),
        Text(
            "Names that training had can be learned by heart. New ones tell whether it understands what an entity is.",
            "训练集中出现过的名称可以靠记忆；新名称才能说明模型是否真正学会了识别实体。",
        ),
    )


def _lenient(report: dict[str, Any]) -> Section:
    """The same answers counted by four definitions."""
    columns = (
        Column(Text("Definition", "标准")),
        Column("F1", "estimate"),
        Column(Text("Precision", "精确率"), "number", minor=True),
        Column(Text("Recall", "召回率"), "number", minor=True),
        *(Column(name, "number", minor=True) for name in OUTCOME_NAMES.values()),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            (SCHEMA_NAMES[name], Span(SCHEMA_HELP[name], "quiet")),
            Estimate(
                part["f1"],
                part["f1_low"],
                part["f1_high"],
                f"{part['f1']:.3f}",
                f"{part['f1_low']:.3f} – {part['f1_high']:.3f}",
            ),
            f"{part['precision']:.3f}",
            f"{part['recall']:.3f}",
            *(count(part[outcome]) for outcome in OUTCOME_NAMES),
        )
        for name, part in report["partial"].items()
    )
    return Section(
        "lenient",
        Text("If near misses counted", "放宽标准后的成绩"),
        (Table(columns, rows),),
        Text(
            "The same answers by four definitions, as in SemEval-2013. Where partial is far above strict, it is the boundaries that are wrong.",
            "同一批回答按四种标准计分（沿用 SemEval-2013 的定义）。如果“部分重叠”远高于“严格”，问题主要在边界。",
        ),
    )


def _errors(report: dict[str, Any]) -> Section:
    """The kinds of errors, and the types most often taken for each other."""
    total = sum(group["count"] for group in report["errors"])
    if not total:
        text = Text(
            "Nothing: every entity of the test rows was found, and none was invented.",
            "没有错误：测试集中的实体全部找到，也没有误报。",
        )
        return Section("errors", ERRORS, (Paragraph(text),))
    named = _colours(report)
    choices = tuple(
        Choice(
            ERROR_NAMES[group["kind"]],
            group["count"],
            group["kind"],
            ERROR_HELP[group["kind"]],
            examples=Records(tuple(_example(example, named) for example in group["examples"])),
        )
        for group in report["errors"]
    )
    blocks: list[Block] = [Choices(choices)]
    pairs = sorted(
        (
            (pair["count"], group["kind"], number, pair)
            for group in report["errors"]
            for number, pair in enumerate(group["pairs"])
        ),
        key=lambda entry: -entry[0],
    )[:PAIRS_SHOWN]
    if pairs:
        bars = tuple(
            Bar(_pair(kind, pair), number / total, count(number), tone="bad", pick=f"{kind}:{index}")
            for number, kind, index, pair in pairs
        )
        blocks.append(Bars(bars, (Text("Error", "错误"), Text("Number", "数量"))))
    errors, entities = count(total), count(report["entities"]["gold"])
    lead = Text(
        f"{errors} errors on {entities} entities, each of one kind.",
        f"{entities} 个实体中共有 {errors} 处错误，每处只归为一类。",
    )
    return Section("errors", ERRORS, tuple(blocks), lead)


def _pair(kind: str, pair: dict[str, Any]) -> Text:
    """An error of one kind by its types: “LOC” missed, “LOC” taken for “ORG”."""
    return PAIR_NAMES[kind].format(label=pair["label"] or pair["prediction"], prediction=pair["prediction"])


def _mistakes(report: dict[str, Any]) -> Section | None:
    """The wrong answers with the highest scores."""
    examples = [example for group in report["errors"] if group["kind"] != "missed" for example in group["examples"]]

    def confidence(example: dict[str, Any]) -> float:
        first, last = example["at"]
        spans = (span["score"] for span in example["given"] if span["start"] < last and first < span["end"])
        return max(spans, default=0.0)

    shown = sorted(examples, key=lambda example: -confidence(example))[:MISTAKES_SHOWN]
    if not shown:
        return None
    named = _colours(report)
    return Section(
        "mistakes",
        Text("Its worst mistakes", "最严重的错误"),
        (Records(tuple(_example(example, named) for example in shown)),),
        Text(
            "Where it was most sure and wrong. Above what the data says, below what the model does.",
            "模型最有把握却答错的地方。上行是标注，下行是模型的回答。",
        ),
    )


def _example(example: dict[str, Any], named: Colours) -> Record:
    """An example of the report: a text that was cut already, its ends marked where it was."""
    gold, given = (
        _marked(example["text"], example[side], named, *(example.get("cut") or (False, False)))
        for side in ("gold", "given")
    )
    return _record(example["row"], gold, given)


def _record(row: int, gold: Line, given: Line) -> Record:
    return Record(
        (RecordText(gold, Text("data", "标注")), RecordText(given, Text("model", "模型"))),
        (Text(f"row {row}", f"第 {row} 行"),),
    )


def _marked(text: str, spans: Spans, named: Colours, before: bool, after: bool) -> Line:
    """A text with its entities; an ellipsis at an end where more of it was left out."""
    parts: list[Words | Span] = ["… "] if before else []
    for run in runs(text, spans):
        if run.span is None:
            parts.append(run.text)
        else:
            score = f" · {run.span['score']:.0%}" if "score" in run.span else ""
            label = run.span["label"]
            parts.append(Span(run.text, "entity", label, named.get(label), f"{label}{score}"))
    return (*parts, *([" …"] if after else []))


def picked_rows(directory: Path, report: dict[str, Any], pick: str) -> Section:
    """The texts behind a kind of error, or behind `kind:number`, one pair of types of it."""
    kind, _, number = pick.partition(":")
    if number:
        pair = {group["kind"]: group["pairs"] for group in report["errors"]}[kind][int(number)]
        total, rows = error_rows(directory, kind, pair["label"], pair["prediction"], ERRORS_READ)
        title = _pair(kind, pair)
    else:
        title = ERROR_NAMES[kind]
        total, rows = error_rows(directory, kind, limit=ERRORS_READ)
    named = _colours(report)
    pieces = excerpts(rows)
    shown, errors = count(sum(len(members) for _, _, members in pieces)), count(total)
    of = Text(f" {shown} of {errors}", f" 共 {errors} 处，显示 {shown} 处")
    return Section(
        "picked",
        (title, Span(of, "quiet")),
        (Records(tuple(_excerpt(row, place, named) for row, place, _ in pieces)),),
    )


def excerpts(rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], tuple[int, int], list[dict[str, Any]]]]:
    """The excerpts to show, each with the errors that stand in it: several in one excerpt are shown once."""
    entries: list[tuple[dict[str, Any], tuple[int, int], list[dict[str, Any]]]] = []
    for row in rows:
        spans = [span for span in (row["error"]["gold"], row["error"]["given"]) if span]
        start, end = min(span["start"] for span in spans), max(span["end"] for span in spans)
        for other, (first, last), errors in entries:
            if other["row"] == row["row"] and first <= start and end <= last:
                errors.append(row["error"])
                break
        else:
            if len(entries) < ROWS_SHOWN:
                entries.append((row, window(row["inputs"]["text"], start, end), [row["error"]]))
    return entries


def _excerpt(row: dict[str, Any], place: tuple[int, int], named: Colours) -> Record:
    """An excerpt of a text, as the data has it and as the model does."""
    start, end = place
    text = row["inputs"]["text"]

    def within(spans: Spans) -> list[dict[str, Any]]:
        return [
            {**span, "start": max(span["start"], start) - start, "end": min(span["end"], end) - start}
            for span in spans
            if span["start"] < end and start < span["end"]
        ]

    gold, given = (
        _marked(text[start:end], within(row[side]), named, start > 0, end < len(text))
        for side in ("target", "prediction")
    )
    return _record(row["row"], gold, given)
