"""Answer with the model in this folder. Needs PyTorch and transformers (requirements.txt), nothing else.

    python predict.py "A warm and funny film."
    python predict.py --file new.csv --out answers.jsonl
    python predict.py --onnx onnx/model.int8.onnx "A warm and funny film."

    from predict import Model
    Model().predict(["A warm and funny film."])

Knows where things lie and how rows are read and written; how the model is asked is in answering.py.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from answering import INPUTS, OPTIONAL, Answering

HERE = Path(__file__).resolve().parent


class Model:
    """The model of a folder. Load it once, ask it often.

    `onnx` is an ONNX file to compute with instead of PyTorch (encoders only, needs onnxruntime).
    """

    def __init__(self, folder: str | Path | None = None, onnx: str | Path | None = None):
        inner = HERE / "model"
        self.folder = Path(folder) if folder else (inner if inner.is_dir() else HERE)
        self.facts = json.loads((self.folder / "tunebench.json").read_text(encoding="utf-8"))
        beside = HERE / "onnx" / "model.onnx"
        if onnx is None and beside.is_file() and not any(self.folder.glob("*.safetensors")):
            onnx = beside
        self.answering = Answering(self.folder, self.facts, onnx)

    def predict(self, rows: Sequence[str | Mapping[str, str]]) -> list[dict[str, Any]]:
        """One answer a row. A row is a text, or a mapping of input names to texts. ValueError where one is missing."""
        asked = [self._row(number, row) for number, row in enumerate(rows, start=1)]
        return self.answering.answer(asked) if asked else []

    def stream(self, row: str | Mapping[str, str], stop: threading.Event, **style: Any) -> Iterator[str]:
        """Of a model that writes: what is written so far, again and again, until it is done or `stop` is set."""
        return self.answering.stream(self._row(1, row), stop, **style)

    def _row(self, number: int, row: str | Mapping[str, str]) -> dict[str, str]:
        given = {INPUTS[0]: row} if isinstance(row, str) else dict(row)
        missing = [name for name in INPUTS if not isinstance(given.get(name), str)]
        if missing:
            raise ValueError(f"row {number} has no {missing[0]}")
        kept = {name: given[name] for name in (*INPUTS, *OPTIONAL) if isinstance(given.get(name), str)}
        if self.facts["masked"]:
            # Personal data was masked in what the model learned from, so it is masked in what it is asked.
            from personal import mask_text

            kept = {name: mask_text(text) for name, text in kept.items()}
        return kept


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV, TSV or JSON Lines file in UTF-8."""
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        return [json.loads(line) for line in lines if line.strip()]
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ","))


def rows_for(model: Model, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What the model reads of each row: the columns named like its inputs, else those it was trained on."""
    trained = model.facts["columns"]
    found = []
    for row in rows:
        named = {name: row.get(name, row.get(trained.get(name, ""))) for name in (*INPUTS, *OPTIONAL)}
        found.append({name: text for name, text in named.items() if isinstance(text, str)})
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Answer with this model.")
    parser.add_argument("text", nargs="*", help="texts to answer")
    parser.add_argument("--input", action="append", default=[], metavar="NAME=TEXT", help="one row by its parts")
    parser.add_argument("--file", type=Path, help="a CSV, TSV or JSON Lines file of rows")
    parser.add_argument("--out", type=Path, help="where the answers of --file go, as JSON Lines; stdout if not given")
    parser.add_argument("--model", type=Path, help="another model folder")
    parser.add_argument("--onnx", type=Path, help="an ONNX file to compute with")
    given = parser.parse_args()
    if sum(map(bool, (given.text, given.input, given.file))) != 1:
        parser.error("give texts, or --input, or --file")
    model = Model(given.model, given.onnx)
    if given.file:
        table = read_rows(given.file)
        rows = rows_for(model, table)
    else:
        table = [dict(pair.split("=", 1) for pair in given.input)] if given.input else given.text
        rows = table
    try:
        answers = model.predict(rows)
    except ValueError as error:
        parser.error(str(error))
    shown = [
        json.dumps({**(row if isinstance(row, dict) else {INPUTS[0]: row}), **answer}, ensure_ascii=False)
        for row, answer in zip(table, answers, strict=True)
    ]
    text = "".join(line + "\n" for line in shown)
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
