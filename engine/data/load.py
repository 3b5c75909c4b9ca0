"""Reading tables from files of any supported format, from the hub, or from the embedded examples.

Knows how to tell formats apart by content, and which reader reads which. Does not know what columns mean.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from engine.core.errors import ConfigProblem, FileProblem
from engine.core.settings import Settings
from engine.core.text import Text
from engine.data.archive import Member, unpack
from engine.data.config import DataConfig
from engine.data.conll import looks_like_conll, read_conll
from engine.data.delimited import read_delimited
from engine.data.encoding import decode
from engine.data.file_signatures import refuse_unsupported
from engine.data.jsonfile import looks_like_json, read_json
from engine.data.label_studio_min import fill_short_export
from engine.data.limits import Limits
from engine.data.split_names import SPLITS, split_of_name
from engine.data.table import Source, Table
from engine.data.task import DataTask
from engine.data.text_pairs import looks_like_pairs, read_pairs


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file. Empty fields are detected."""

    task: DataTask | None = None
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    limits: Limits = field(default_factory=Limits)


def read_table(
    path: str | Path,
    *,
    task: DataTask | None = None,
    encoding: str = "",
    delimiter: str = "",
    sheet: str = "",
    limits: Limits | None = None,
) -> Table:
    """Read the one table in a file. `task` decides where a text file could be read in more than one way (CoNLL or CSV).

    Raises FileProblem, with file and where possible row and column, for whatever cannot be read. An archive with several
    tables is refused here; `read_tables` takes it.
    """
    tables = _read_all(Path(path), Reading(task, encoding, delimiter, sheet, limits or Limits()))
    if len(tables) == 1:
        return next(iter(tables.values()))
    name = Path(path).name
    raise FileProblem(
        "several_tables",
        Text(
            f"{name} holds several tables ({', '.join(tables)}), one was expected.",
            f"{name} 含有多个数据表（{'、'.join(tables)}），此处只能有一个。",
        ),
        Text("Give the archive as the training file alone.", "请只把该文件作为训练文件提供。"),
        file=name,
    )


def hub_token(settings: Settings, token: str = "") -> str | bool | None:
    """The token for requests to the hub: `token`, else that of the environment; a public page never uses its owner's."""
    return token or (False if settings.public else None)


def read_tables(
    data: DataConfig,
    task: DataTask,
    settings: Settings,
    progress: Callable[[Text, float], None] | None = None,
    token: str = "",
) -> dict[str, Table]:
    """The tables of a run: "train" and, where given, "validation" and "test".

    They come from an embedded example, from files (one archive or JSON file may hold all three), or from the hub. A file
    given for a split wins over the same split from elsewhere. `token` opens private hub data sets. Raises FileProblem, AssetProblem or ConfigProblem.
    """
    reading = Reading(task, data.encoding, data.delimiter, data.sheet, Limits.from_settings(settings))
    if data.hub:
        from engine.data.hub import read_hub

        hub_tables = read_hub(
            data.hub,
            data.hub_config,
            reading.limits,
            revision=data.hub_revision,
            splits={split: getattr(data, f"hub_{split}") for split in SPLITS},
            progress=progress,
            token=hub_token(settings, token),
        )
        tables = {split: _arranged(table, task) for split, table in hub_tables.items()}
    elif data.example:
        from engine.assets import example

        tables = {"train": read_table(example(data.example, progress), task=task)}
    elif data.train:
        tables = _read_all(Path(data.train), reading)
        if "train" not in tables:
            tables = {"train": next(iter(tables.values()))}
    else:
        raise ConfigProblem(
            "no_data",
            Text("No data was given.", "没有提供数据。"),
            Text("Give a training file, an example or a hub data set.", "请提供训练文件、示例数据或 Hub 数据集。"),
        )
    for split, path in (("validation", data.validation), ("test", data.test)):
        if path:
            file_tables = _read_all(Path(path), reading)
            tables[split] = file_tables[split] if split in file_tables else next(iter(file_tables.values()))
    return {split: tables[split] for split in SPLITS if split in tables}


def _read_all(path: Path, reading: Reading) -> dict[str, Table]:
    """Every table in a file, by split name; a single table is under ""."""
    name = path.name
    data = read_bytes(path, reading.limits)
    sha256 = hashlib.sha256(data).hexdigest()
    members = unpack(name, data, reading.limits)
    tables: dict[str, Table] = {}
    for member in members:
        source = Source(name=member.name, format="", sha256=sha256)
        for split, table in _read_member(member, source, reading).items():
            tables[split or _split_of(member.name, len(members), tables)] = _arranged(table, reading.task)
    if len(tables) > 1 and "train" not in tables:
        names = ", ".join(member.name for member in members)
        raise FileProblem(
            "no_train_member",
            Text(
                f"{name} holds several files ({names}), and none of them is called train.",
                f"{name} 含有多个文件（{names}），但没有名为 train 的文件。",
            ),
            Text("Name them train, validation and test.", "请将它们命名为 train、validation、test。"),
            file=name,
        )
    return tables


def _arranged(table: Table, task: DataTask | None) -> Table:
    """The table in the layout that the task reads: one example a row."""
    table = fill_short_export(table, annotated=task is not None and task.reads_tags)
    return task.arrange(table) if task is not None else table


def _split_of(name: str, members: int, tables: dict[str, Table]) -> str:
    """The split that the name of an archive's member denotes, else that name."""
    if members == 1:
        return ""
    return split_of_name(name, tables) or name


def read_bytes(path: Path, limits: Limits) -> bytes:
    """The content of a file. Raises FileProblem where it is missing, a folder, unreadable, empty or too large."""
    name = path.name
    try:
        if path.is_dir():
            raise _unreadable("is_folder", name, Text("it is a folder", "它是文件夹"))
        size = path.stat().st_size
        if size > limits.max_file_bytes:
            raise too_large(name, size, limits)
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FileProblem(
            "file_not_found",
            Text(f"There is no file {path}.", f"找不到文件 {path}。"),
            Text("Check the path.", "请检查路径。"),
            file=name,
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _unreadable("unreadable", name, Text(reason, reason)) from error
    if not data:
        raise FileProblem(
            "empty_file",
            Text(f"{name} is empty.", f"{name} 是空文件。"),
            Text("Choose another file, or export it again.", "请换一个文件，或重新导出。"),
            file=name,
            row=1,
        )
    return data


def too_large(name: str, size: int, limits: Limits) -> FileProblem:
    megabytes, most = size / 2**20, limits.max_file_bytes / 2**20
    return FileProblem(
        "file_too_large",
        Text(
            f"{name} has {megabytes:,.1f} MB; at most {most:,.0f} MB are read here.",
            f"{name} 大小为 {megabytes:,.1f} MB，此处最多读取 {most:,.0f} MB。",
        ),
        Text(
            "Compress it (.gz, .zip, Parquet), take a sample, or raise TUNEBENCH_MAX_UPLOAD_MB.",
            "请压缩文件（.gz、.zip、Parquet）、抽取部分数据，或调大 TUNEBENCH_MAX_UPLOAD_MB。",
        ),
        file=name,
    )


def _unreadable(code: str, name: str, reason: Text) -> FileProblem:
    return FileProblem(
        code,
        Text(f"{name} cannot be read: {reason.en}.", f"无法读取 {name}：{reason.zh}。"),
        Text("Choose another file.", "请选择其他文件。"),
        file=name,
    )


def _read_member(member: Member, source: Source, reading: Reading) -> dict[str, Table]:
    name, data, limits = member.name, member.data, reading.limits
    refuse_unsupported(name, data)
    suffix = Path(name).suffix.lower()
    if member.is_workbook:
        from engine.data.spreadsheet import read_spreadsheet

        return {"": read_spreadsheet(data, source, limits, sheet=reading.sheet)}
    if data.startswith(b"PAR1"):
        from engine.data.parquet import read_parquet

        return {"": read_parquet(data, source, limits)}
    decoded = decode(data, name, reading.encoding)
    source = Source(
        name=name, format="csv", sha256=source.sha256, encoding=decoded.encoding, notes=(*source.notes, *decoded.notes)
    )
    text = decoded.text
    if not text.strip():
        raise FileProblem(
            "empty_file",
            Text(f"{name} holds nothing but blanks.", f"{name} 只有空白。"),
            file=name,
            row=1,
        )
    if suffix in (".json", ".jsonl", ".ndjson") or (not reading.delimiter and looks_like_json(text)):
        return read_json(text, source, limits)
    if not reading.delimiter and looks_like_conll(text, suffix, reading.task is not None and reading.task.reads_tags):
        return {"": read_conll(text, source, limits)}
    if not reading.delimiter and looks_like_pairs(text, suffix):
        return {"": read_pairs(text, source, limits)}
    return {"": read_delimited(text, source, limits, delimiter=reading.delimiter, suffix=suffix)}
