"""The commands that run a tuned model: `predict` and `evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.shared import Delimiter, Encoding, Json, RunArgument, Sheet, find_run, pairs
from engine.cli.terminal import table
from engine.core.errors import ConfigProblem
from engine.core.text import Text, terminal_language

if TYPE_CHECKING:
    from engine.inference.predictor import Predictor


def predict(
    run: RunArgument,
    text: Annotated[list[str] | None, typer.Option(help="A text; may be given several times.")] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="ROLE=TEXT", help="One row by its parts, such as context=... question=..."),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A file of texts.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where the answers go: .csv, .tsv, .jsonl, .xlsx, or a format of the task (.conll for entities, .json for SQuAD)."
        ),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="ROLE=COLUMN", help="Column of a role in the file.")
    ] = None,
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    sheet: Sheet = "",
    base: Annotated[bool, typer.Option(help="Use the untuned model instead.")] = False,
    json_: Json = False,
) -> None:
    """Answer with a run's model."""
    if sum(map(bool, (text, given, file))) != 1:
        raise ConfigProblem(
            "text_or_file",
            Text("Give one of --text, --input and --file.", "请提供 --text、--input 或 --file 其中之一。"),
        )
    if any(not one.strip() for one in text or []):
        raise ConfigProblem("empty_text", Text("A text is empty.", "文本为空。"), Text("Type one.", "请输入文本。"))
    opened = find_run(run)
    from engine.data.load import read_table
    from engine.inference.batch_predict import answer_table, beside, check_output, write_answers
    from engine.tasks import task_named

    if out is not None:
        check_output(out, task_named(opened.manifest.task).export_formats)
    from engine.inference.predictor import load_predictor
    from engine.models.device import keep_freed_memory

    keep_freed_memory()
    predictor = load_predictor(opened.directory)
    if file is None:
        first = predictor.task.spec.inputs[0]
        rows = [{first: one} for one in text] if text else [pairs(given, "--input")]
        answers = predictor.predict(rows, base=base)
        if json_:
            records = [{**row, **answer} for row, answer in zip(rows, answers, strict=True)]
            typer.echo(json.dumps(records, ensure_ascii=False))
        else:
            typer.echo(_answer_table(predictor, rows, answers))
        return
    input_table = read_table(file, task=predictor.task.spec, encoding=encoding, delimiter=delimiter, sheet=sheet)
    answered = answer_table(predictor, input_table, pairs(column, "--column"), base=base)
    if out is None:
        frame = beside(input_table, answered, predictor)
        typer.echo(frame.to_json(orient="records", lines=True, force_ascii=False), nl=False)
        return
    write_answers(input_table, answered, predictor, out)
    if json_:
        typer.echo(json.dumps({"out": str(out), "rows": len(input_table)}, ensure_ascii=False))
    else:
        typer.echo(f"{len(input_table)} -> {out}", err=True)


def _answer_table(predictor: Predictor, rows: list[dict[str, str]], answers: list[dict[str, Any]]) -> str:
    """The answers in columns, with the inputs at the end; the probabilities of all labels, and lists, are for --json."""
    cells = predictor.task.cells(answers, predictor.outputs)
    shown = {
        name: values
        for name, values in cells.items()
        if not name.startswith("p:") and not any(isinstance(value, list) for value in values)
    }
    inputs = [" / ".join(row.values()) for row in rows]
    return table(
        (*shown, "input"), list(zip(*([str(v) for v in values] for values in shown.values()), inputs, strict=True))
    )


def evaluate(
    run: RunArgument,
    file: Annotated[Path, typer.Option(help="A labelled file.")],
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    sheet: Sheet = "",
    json_: Json = False,
) -> None:
    """Score a run's model on another labelled file."""
    opened = find_run(run)
    from engine.inference.predictor import load_predictor
    from engine.inference.score_file import judge_file
    from engine.models.device import keep_freed_memory

    keep_freed_memory()
    reading = {"encoding": encoding, "delimiter": delimiter, "sheet": sheet}
    result = judge_file(load_predictor(opened.directory), file, opened.config, **reading)
    for notice in result["notices"]:
        typer.echo(Text.from_dict(notice["message"]).in_language(terminal_language()), err=True)
    if json_:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    rows = [
        (
            name,
            f"{value:.4f}",
            "{:.4f}".format(result["intervals"][name][0]),
            "{:.4f}".format(result["intervals"][name][1]),
        )
        for name, value in result["test"].items()
    ]
    typer.echo(table(("metric", "value", "low", "high"), rows))
