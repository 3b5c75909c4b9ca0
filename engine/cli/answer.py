"""The commands that use a tuned model: `predict` and `evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.shared import Json, RunArgument, find, pairs
from engine.cli.terminal import table
from engine.errors import ConfigProblem
from engine.text import Text, terminal_language


def predict(
    run: RunArgument,
    text: Annotated[list[str] | None, typer.Option(help="A text; may be given several times.")] = None,
    file: Annotated[Path | None, typer.Option(help="A file of texts.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the answers go: .csv, .tsv, .jsonl or .xlsx.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="ROLE=COLUMN", help="Column of a role in the file.")
    ] = None,
    base: Annotated[bool, typer.Option(help="Ask the untuned model instead.")] = False,
    json_: Json = False,
) -> None:
    """Answer with a run's model."""
    if bool(text) == bool(file):
        raise ConfigProblem(
            "text_or_file",
            Text("Give either --text or --file.", "请提供 --text 或 --file 其中之一。"),
        )
    if any(not given.strip() for given in text or []):
        raise ConfigProblem("empty_text", Text("A text is empty.", "文本为空。"), Text("Type one.", "请输入文本。"))
    directory = find(run).directory
    from engine.data.load import read_table
    from engine.inference.batch import check_output, predict_table, write_predictions

    if out is not None:
        check_output(out)
    from engine.inference.predictor import load_predictor

    predictor = load_predictor(directory)
    if text:
        answers = predictor.predict(text, base=base)
        if json_:
            records = [{"text": given, **answer} for given, answer in zip(text, answers, strict=True)]
            typer.echo(json.dumps(records, ensure_ascii=False))
        else:
            rows = [
                (", ".join(a["labels"]) if "labels" in a else a["label"], f"{a['confidence']:.3f}", given)
                for given, a in zip(text, answers, strict=True)
            ]
            typer.echo(table(("label", "confidence", "text"), rows))
        return
    frame = predict_table(predictor, read_table(file, task=predictor.task.name), pairs(column, "--column"), base=base)
    if out is None:
        typer.echo(frame.to_json(orient="records", lines=True, force_ascii=False), nl=False)
        return
    write_predictions(frame, out)
    if json_:
        typer.echo(json.dumps({"out": str(out), "rows": len(frame)}, ensure_ascii=False))
    else:
        typer.echo(f"{len(frame)} -> {out}", err=True)


def evaluate(
    run: RunArgument, file: Annotated[Path, typer.Option(help="A labelled file.")], json_: Json = False
) -> None:
    """Score a run's model on another labelled file."""
    found = find(run)
    from engine.inference.judge import judge_file
    from engine.inference.predictor import load_predictor

    result = judge_file(load_predictor(found.directory), file, found.config)
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
