"""Answer with the model in this folder. Needs PyTorch and transformers (requirements.txt), nothing else.

    python predict.py "A warm and funny film."
    python predict.py --file new.csv --out answers.jsonl
    python predict.py --onnx onnx/model.int8.onnx "A warm and funny film."

    from predict import Model
    Model().predict(["A warm and funny film."])

Knows which files there are and how rows are read and written; how the model is loaded and run is in answering.py.
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

from answering import load

HERE = Path(__file__).resolve().parent
TASK = json.loads((HERE / "task.json").read_text(encoding="utf-8"))
REQUIRED = tuple(name for name, box in TASK["inputs"].items() if box["required"])
OPTIONAL = tuple(name for name in TASK["inputs"] if name not in REQUIRED)


class Model:
    """The model of a folder. Load it once and reuse it.

    `onnx` is an ONNX file to compute with instead of PyTorch (encoders only, needs onnxruntime).
    """

    def __init__(self, folder: str | Path | None = None, onnx: str | Path | None = None):
        subfolder, onnx_file = HERE / "model", HERE / "onnx" / "model.onnx"
        self.folder = Path(folder) if folder else (subfolder if subfolder.is_dir() else HERE)
        self.facts = json.loads((self.folder / "tunebench.json").read_text(encoding="utf-8"))
        if onnx is None and onnx_file.is_file() and not any(self.folder.glob("*.safetensors")):
            onnx = onnx_file
        self.answering = load(self.folder, self.facts, TASK, onnx)

    def predict(self, rows: Sequence[str | Mapping[str, str]]) -> list[dict[str, Any]]:
        """One answer a row. A row is a text, or a mapping of input names to texts. ValueError where one is missing."""
        inputs = [self._inputs(number, row) for number, row in enumerate(rows, start=1)]
        if not self.facts["masked"]:
            return self.answering.answer(inputs) if inputs else []
        # Personal data was masked in the training texts, so it is masked in the inputs too; answers refer to the text as given.
        from tunebench_decode.data_personal_data import mask_text
        from tunebench_decode.inference_unmasked import unmasked

        masked = [{name: mask_text(text) for name, text in row.items()} for row in inputs]
        answers = self.answering.answer(masked) if masked else []
        return [unmasked(answer, row[REQUIRED[0]]) for answer, row in zip(answers, inputs, strict=True)]

    def stream(self, row: str | Mapping[str, str], stop: threading.Event, **style: Any) -> Iterator[str]:
        """Generative models: the text generated so far, again and again, until it is complete or `stop` is set."""
        inputs = self._inputs(1, row)
        if self.facts["masked"]:
            from tunebench_decode.data_personal_data import mask_text

            inputs = {name: mask_text(text) for name, text in inputs.items()}
        return self.answering.stream(inputs, stop, **style)

    def _inputs(self, number: int, row: str | Mapping[str, str]) -> dict[str, str]:
        values = {REQUIRED[0]: row} if isinstance(row, str) else dict(row)
        missing = [name for name in REQUIRED if not isinstance(values.get(name), str)]
        if missing:
            raise ValueError(f"row {number} has no {missing[0]}")
        return {name: values[name] for name in (*REQUIRED, *OPTIONAL) if isinstance(values.get(name), str)}


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV, TSV or JSON Lines file in UTF-8."""
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        return [json.loads(line) for line in lines if line.strip()]
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ","))


def input_rows(model: Model, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The inputs of each row: the columns named like them, else the columns of the training file."""
    columns = model.facts["columns"]
    inputs = []
    for row in rows:
        values = {name: row.get(name, row.get(columns.get(name, ""))) for name in (*REQUIRED, *OPTIONAL)}
        inputs.append({name: text for name, text in values.items() if isinstance(text, str)})
    return inputs


def main() -> int:
    parser = argparse.ArgumentParser(description="Answer with this model.")
    parser.add_argument("text", nargs="*", help="texts to answer")
    parser.add_argument("--input", action="append", default=[], metavar="NAME=TEXT", help="one row by its parts")
    parser.add_argument("--file", type=Path, help="a CSV, TSV or JSON Lines file of rows")
    parser.add_argument("--out", type=Path, help="where the answers of --file go, as JSON Lines; stdout if not given")
    parser.add_argument("--model", type=Path, help="another model folder")
    parser.add_argument("--onnx", type=Path, help="an ONNX file to compute with")
    options = parser.parse_args()
    if sum(map(bool, (options.text, options.input, options.file))) != 1:
        parser.error("give texts, or --input, or --file")
    model = Model(options.model, options.onnx)
    if options.file:
        table = read_rows(options.file)
        rows = input_rows(model, table)
    else:
        table = [dict(pair.split("=", 1) for pair in options.input)] if options.input else options.text
        rows = table
    try:
        answers = model.predict(rows)
    except ValueError as error:
        parser.error(str(error))
    lines = [
        json.dumps({**(row if isinstance(row, dict) else {REQUIRED[0]: row}), **answer}, ensure_ascii=False)
        for row, answer in zip(table, answers, strict=True)
    ]
    text = "".join(line + "\n" for line in lines)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
