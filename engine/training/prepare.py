"""The data stage: the rows of a run, split and recorded in the run directory, so that a resumed run has the same ones.

Knows how a data set is split and what is recorded of it. Reading, columns and the model are decided in engine/data/dataset.py.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.assets import EXAMPLES
from engine.config import RunConfig
from engine.core.settings import Settings
from engine.core.text import Text
from engine.data.dataset import Dataset, load_dataset
from engine.data.split import Splits, split
from engine.data.split_names import SPLITS
from engine.models.choose import AUTOMATIC, model_for
from engine.run_directory.store import Run, write_atomically
from engine.schema import Example, Notice
from engine.tasks import task_named
from engine.training.events import EventLog

BEFORE_TEST = tuple(name for name in SPLITS if name != "test")


@dataclass(frozen=True, slots=True)
class PreparedData:
    """The result of the data stage: the rows of a run, split, and the facts about them that the report repeats.

    `config` is the configuration of the run with the model in the place of `auto`: every later stage reads it, not the one that was
    asked for. `splits.test` is empty where the run ends before it is evaluated.
    """

    config: RunConfig
    splits: Splits
    columns: dict[str, str]
    facts: dict[str, Any]
    notices: tuple[dict[str, Any], ...]  # as events have them
    model: str  # that the data set was loaded for
    model_reason: Text | None = None  # why that model, where it was chosen automatically


def prepare(run: Run, config: RunConfig, settings: Settings, events: EventLog, with_test: bool = True) -> PreparedData:
    """Load, split and record the data of a run. Raises FileProblem, ColumnProblem and LabelProblem.

    A resumed run takes the rows that it has recorded: its files may have changed since, or be gone. Without `with_test` no test row is
    returned, and neither a file of test rows nor the recorded test rows are opened.
    """
    data = _recorded(run, config, SPLITS if with_test else BEFORE_TEST)
    if data is None:
        data = _load(run, config, settings, events, with_test)
    if config.model.id != AUTOMATIC:
        return data
    run.update(model=data.model)
    if data.model_reason is not None:
        events.notice("model_chosen", data.model_reason)
    return replace(data, config=replace(config, model=replace(config.model, id=data.model)))


def _load(run: Run, config: RunConfig, settings: Settings, events: EventLog, with_test: bool) -> PreparedData:
    # A test file that is not read leaves the other rows as they are: none has to be drawn from them.
    unread = not with_test and bool(config.data.test)
    given = replace(config.data, test="") if unread else config.data
    dataset = load_dataset(given, task_named(config.task), config.model.id, settings)
    splits = split_dataset(dataset, config, draw_test=not unread)
    notices = [*_file_notes(dataset), *dataset.notices, *dataset.fixes, *splits.notices]
    for notice in notices:
        events.notice(notice.code, notice.message, notice.severity, count=notice.count)
    facts = {
        "columns": dataset.columns["train"],
        "sources": {
            name: {
                "name": table.source.name,
                "sha256": table.source.sha256,
                "revision": table.source.revision,
                "rows": len(table),
            }
            for name, table in dataset.tables.items()
        },
        "rows": splits.sizes(),
        "data_sha256": _write(run.path("data"), splits),
    }
    data = PreparedData(
        config,
        splits,
        dataset.columns["train"],
        facts,
        tuple(map(notice_to_dict, notices)),
        dataset.model,
        dataset.model_reason,
    )
    _record(run, data, BEFORE_TEST if unread else SPLITS)
    return data if with_test else replace(data, splits=replace(splits, test=[]))


def notice_to_dict(notice: Notice) -> dict[str, Any]:
    """A notice as events and reports have it, as JSON."""
    return {
        "code": notice.code,
        "severity": notice.severity,
        "message": notice.message.to_dict(),
        "count": notice.count,
    }


def split_dataset(dataset: Dataset, config: RunConfig, draw_test: bool = True) -> Splits:
    """The sets of a run. Of a large embedded example a sample is taken first (see `sample_of_example`)."""
    train, notices = sample_of_example(dataset, config)
    splits = split({**dataset.examples, "train": train}, config.data, config.seed, dataset.task, draw_test)
    splits.notices[:0] = notices
    return splits


def _file_notes(dataset: Dataset) -> list[Notice]:
    return [
        Notice("file_note", "info", _in_file(table.source.name, note))
        for table in dataset.tables.values()
        for note in table.source.notes
    ]


def _record(run: Run, data: PreparedData, names: Sequence[str]) -> None:
    """Record that the splits `names` are complete, if reading them back gives the same rows."""
    if all(read_split(run, name) == getattr(data.splits, name) for name in names):
        values = {
            "columns": data.columns,
            "facts": data.facts,
            "notices": data.notices,
            "model": data.model,
            "model_reason": data.model_reason.to_dict() if data.model_reason else None,
            "sha256": {name: _sha256(run, name) for name in names},
        }
        write_atomically(run.path("data", "prepared.json"), json.dumps(values, ensure_ascii=False))


def _recorded(run: Run, config: RunConfig, names: Sequence[str]) -> PreparedData | None:
    """What an earlier attempt of this run recorded, if the splits `names` are complete and unchanged. No other split is opened."""
    try:
        values = json.loads(run.path("data", "prepared.json").read_text(encoding="utf-8"))
        if "sha256" in values:
            unchanged = all(_sha256(run, name) == values["sha256"].get(name) for name in names)
        else:
            unchanged = _sha256_of_all(run) == values["facts"]["data_sha256"]  # recorded by an older version
    except (FileNotFoundError, ValueError):
        return None
    if not unchanged:
        return None
    train, validation, test = (read_split(run, name) if name in names else [] for name in SPLITS)
    splits = Splits(train, validation, test)
    model, reason = values.get("model", config.model.id), values.get("model_reason")
    reason = Text.from_dict(reason) if reason else None
    if model == AUTOMATIC:  # recorded by a version that chose the model later
        task = task_named(config.task)
        model, reason = model_for(task, [task.text(example) for example in splits.train])
    return PreparedData(config, splits, values["columns"], values["facts"], tuple(values["notices"]), model, reason)


def _sha256(run: Run, name: str) -> str:
    return hashlib.sha256(run.path("data", f"{name}.jsonl").read_bytes()).hexdigest()


def _sha256_of_all(run: Run) -> str:
    digest = hashlib.sha256()
    for name in SPLITS:
        digest.update(f"{name}\n".encode() + run.path("data", f"{name}.jsonl").read_bytes())
    return digest.hexdigest()


def sample_of_example(dataset: Dataset, config: RunConfig) -> tuple[list[Example], list[Notice]]:
    """The training table's rows, of a large embedded example only as many as make a short run unless a number is configured.

    The sample is for training and test together. A notice says how many rows were taken.
    """
    rows = dataset.examples["train"]
    example, limit = EXAMPLES.get(config.data.example), config.data.max_train_rows
    if example is None or example.sample is None or limit is not None or len(rows) <= example.sample:
        return rows, []
    low, high = example.sampled_lengths or (0, math.inf)
    fitting = [index for index, row in enumerate(rows) if low <= len(dataset.task.text(row)) <= high]
    chosen = sorted(random.Random(config.seed).sample(fitting, min(example.sample, len(fitting))))
    of = Text("", "")
    if example.sampled_lengths:
        of = Text(f", of {low} to {high} characters", f"（{low} 至 {high} 个字符）")
    notice = Notice(
        "example_sampled",
        "info",
        Text(
            f"{len(chosen):,} of the example's {len(rows):,} rows are used{of.en}, for a result in a minute or two. Set “Maximum training rows” for more.",
            f"示例数据共 {len(rows):,} 行，只取其中 {len(chosen):,} 行{of.zh}，以便一两分钟内得到结果。如需更多，请填写“训练行数上限”。",
        ),
        len(chosen),
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
