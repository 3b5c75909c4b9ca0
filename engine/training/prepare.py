"""From files to examples, split and on record: the first phase of every run.

Knows how tables become examples and what is written down of them. Does not know models.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.assets import EXAMPLES
from engine.config import RunConfig
from engine.core.settings import Settings
from engine.core.text import Text
from engine.data.columns import resolve_tables
from engine.data.examples import read_examples
from engine.data.load import read_tables
from engine.data.split import Splits, split
from engine.data.split_names import SPLITS
from engine.run_directory.store import Run, write_atomically
from engine.schema import Example, Notice
from engine.tasks import task_named
from engine.training.events import EventLog


@dataclass(frozen=True, slots=True)
class Prepared:
    """The examples of a run and the facts about them that the report repeats."""

    splits: Splits
    columns: dict[str, str]
    facts: dict[str, Any]
    notices: list[dict[str, Any]]


def prepare(run: Run, config: RunConfig, settings: Settings, events: EventLog) -> Prepared:
    """Read, map, split and record the data of a run. Raises FileProblem, ColumnProblem and LabelProblem.

    A resumed run takes the examples that it has recorded: its files may have changed since, or be gone.
    """
    recorded = _recorded(run)
    if recorded is not None:
        return recorded
    task = task_named(config.task)
    tables = read_tables(config.data, task, settings)
    columns = resolve_tables(tables, task, config.data.columns)
    examples: dict[str, list[Example]] = {}
    notices = []
    for name, table in tables.items():
        notices += [Notice("file_note", "info", _in_file(table.source.name, note)) for note in table.source.notes]
        examples[name], found = read_examples(table, task, columns[name], config.data)
        notices += found
    examples = task.unify_targets(examples, config.data)
    examples["train"], found = sample_of_example(examples["train"], config)
    notices += found
    splits = split(examples, config.data, config.seed, task)
    notices += splits.notices
    for notice in notices:
        events.notice(notice.code, notice.message, notice.severity, count=notice.count)
    facts = {
        "columns": columns["train"],
        "sources": {
            name: {
                "name": table.source.name,
                "sha256": table.source.sha256,
                "revision": table.source.revision,
                "rows": len(table),
            }
            for name, table in tables.items()
        },
        "rows": {"train": len(splits.train), "validation": len(splits.validation), "test": len(splits.test)},
        "data_sha256": _write(run.path("data"), splits),
    }
    told = [{"code": n.code, "severity": n.severity, "message": n.message.to_dict(), "count": n.count} for n in notices]
    prepared = Prepared(splits, columns["train"], facts, told)
    _record(run, prepared)
    return prepared


def _record(run: Run, prepared: Prepared) -> None:
    """Write down that the examples are all there, where reading them back gives the same ones."""
    splits = prepared.splits
    if all(read_split(run, name) == getattr(splits, name) for name in SPLITS):
        values = {"columns": prepared.columns, "facts": prepared.facts, "notices": prepared.notices}
        write_atomically(run.path("data", "prepared.json"), json.dumps(values, ensure_ascii=False))


def _recorded(run: Run) -> Prepared | None:
    """What an earlier attempt of this run recorded, if it is complete and unchanged."""
    try:
        values = json.loads(run.path("data", "prepared.json").read_text(encoding="utf-8"))
        digest = hashlib.sha256()
        for name in SPLITS:
            digest.update(f"{name}\n".encode() + run.path("data", f"{name}.jsonl").read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if digest.hexdigest() != values["facts"]["data_sha256"]:
        return None
    splits = Splits(*(read_split(run, name) for name in SPLITS))
    return Prepared(splits, values["columns"], values["facts"], values["notices"])


def sample_of_example(rows: list[Example], config: RunConfig) -> tuple[list[Example], list[Notice]]:
    """The rows of a large example data set that a run takes, for training and test together, where nobody says how many."""
    example, asked = EXAMPLES.get(config.data.example), config.data.max_train_rows
    if example is None or example.sample is None or asked is not None or len(rows) <= example.sample:
        return rows, []
    low, high = example.sampled_lengths or (0, math.inf)
    task = task_named(config.task)
    fitting = [index for index, row in enumerate(rows) if low <= len(task.text(row)) <= high]
    chosen = sorted(random.Random(config.seed).sample(fitting, example.sample))
    of = Text("", "")
    if example.sampled_lengths:
        of = Text(f", of {low} to {high} characters", f"（{low} 至 {high} 个字符）")
    notice = Notice(
        "example_sampled",
        "info",
        Text(
            f"{example.sample:,} of the example's {len(rows):,} rows are used{of.en}, for a result in a minute or two. Set “Maximum training rows” for more.",
            f"示例数据共 {len(rows):,} 行，只取其中 {example.sample:,} 行{of.zh}，以便一两分钟内得到结果。如需更多，请填写“训练行数上限”。",
        ),
        example.sample,
    )
    return [rows[index] for index in chosen], [notice]


def _in_file(name: str, note: Text) -> Text:
    return Text(f"{name}: {note.en}", f"{name}：{note.zh}")


def _write(directory: Path, splits: Splits) -> str:
    """Keep the examples as they were used. Returns one SHA-256 over all of them: same hash, same data, same split."""
    directory.mkdir(exist_ok=True)
    digest = hashlib.sha256()
    for name in SPLITS:
        lines = [json.dumps(e.to_dict(), ensure_ascii=False) for e in getattr(splits, name)]
        text = "".join(line + "\n" for line in lines)
        (directory / f"{name}.jsonl").write_bytes(text.encode())
        digest.update(f"{name}\n{text}".encode())
    return digest.hexdigest()


def read_split(run: Run, name: str) -> list[Example]:
    """The recorded examples of one split of a run."""
    with run.path("data", f"{name}.jsonl").open(encoding="utf-8") as file:
        return [Example.from_dict(json.loads(line)) for line in file]
