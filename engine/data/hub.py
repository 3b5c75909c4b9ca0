"""Data sets on the Hugging Face Hub, or on the mirror that HF_ENDPOINT names: streamed, capped, and never by running their code.

Knows configurations, splits and column types of hub data sets. Whether a data set may be read is checked in `hub_access`. Does not
know roles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.core.errors import ConfigProblem, FileProblem
from engine.core.text import Text
from engine.data.assemble import make_table, no_rows
from engine.data.hub_access import Token, library_errors_explained, resolve_revision, shorten_stream_retries
from engine.data.hub_features import class_names, plain_cell, with_class_names
from engine.data.limits import Limits
from engine.data.table import Source, Table

_SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "validation_matched"),
    "test": ("test", "testing", "test_matched"),
}
_MEDIA = ("Image", "Audio", "Video", "Pdf", "Nifti", "Array2D", "Array3D", "Array4D", "Array5D")
_REPORT_EVERY = 500  # rows between two reports of progress

NO_SPLIT = "-"  # chosen for a split: taken from the training rows instead


def list_configs(dataset: str, token: Token = None, revision: str = "") -> list[str]:
    """The configurations of a hub data set. Raises FileProblem where it cannot be reached or must not be read."""
    return _configs(dataset, resolve_revision(dataset, revision, token), token)


def list_splits(dataset: str, config: str, token: Token = None, revision: str = "") -> list[str]:
    """The splits of one configuration. Raises FileProblem as `list_configs` does."""
    return _splits(dataset, config, resolve_revision(dataset, revision, token), token)


def _configs(dataset: str, commit: str, token: Token) -> list[str]:
    import datasets

    with library_errors_explained(dataset, commit):
        return list(datasets.get_dataset_config_names(dataset, revision=commit or None, token=token))


def _splits(dataset: str, config: str, commit: str, token: Token) -> list[str]:
    import datasets

    with library_errors_explained(dataset, commit):
        return list(datasets.get_dataset_split_names(dataset, config or None, revision=commit or None, token=token))


def read_hub(
    dataset: str,
    config: str,
    limits: Limits,
    *,
    revision: str = "",
    splits: dict[str, str] | None = None,
    progress: Callable[[Text, float], None] | None = None,
    token: Token = None,
) -> dict[str, Table]:
    """The tables of a hub data set: "train" and, where it has them, "validation" and "test".

    `splits` maps those names to the data set's own, `NO_SPLIT` for none; splits that it leaves open are matched by their usual names.
    Everything is read at the commit that `revision` stands for at the start, which each table's source records. Each split is
    streamed until it ends or a limit is reached, which the table's notes then mention. A split whose labels are withheld, as in
    public contests, is left out. Raises ConfigProblem where a configuration has to be chosen, FileProblem for everything else.
    """
    commit = resolve_revision(dataset, revision, token)
    import datasets

    shorten_stream_retries()
    config = choose_config(dataset, config, _configs(dataset, commit, token))
    available = _splits(dataset, config, commit, token)
    chosen = default_splits(splits or {}, available)
    tables: dict[str, Table] = {}
    withheld: list[Text] = []
    for place, (name, own) in enumerate(chosen.items()):
        if own not in available:
            raise _no_split(dataset, own, available)

        def report(share: float, place: int = place, own: str = own) -> None:
            if progress is not None:
                progress(Text(f"Reading {own} from the hub", f"正在从 Hub 读取 {own}"), (place + share) / len(chosen))

        source = Source(name=f"{dataset}:{own}", format="hub", revision=commit)
        with library_errors_explained(dataset, commit):
            stream = datasets.load_dataset(
                dataset, config or None, split=own, revision=commit or None, streaming=True, token=token
            )
            table = _read(stream, source, limits, report)
        if name != "train" and _labels_withheld(stream, table):
            withheld.append(
                Text(
                    f"The labels of {own!r} are withheld on the hub, so it is not used.",
                    f"Hub 上 {own!r} 的标签未公开，因此不使用。",
                )
            )
            continue
        tables[name] = table
    if withheld:
        source = tables["train"].source
        tables["train"].source = replace(source, notes=(*source.notes, *withheld))
    return tables


def choose_config(dataset: str, config: str, configs: list[str]) -> str:
    """The configuration to read: `config` if set, else the only one, or the default. Raises ConfigProblem where one must be chosen."""
    if config in configs or (not config and not configs):
        return config
    if not config and len(configs) == 1:
        return configs[0]
    if not config and "default" in configs:
        return "default"
    listed = ", ".join(configs[:30])
    if config:
        message = Text(
            f"The data set {dataset} has no configuration {config!r}. It has: {listed}.",
            f"数据集 {dataset} 没有名为 {config!r} 的子集。可选：{listed}。",
        )
    else:
        message = Text(
            f"The data set {dataset} has several configurations: {listed}.",
            f"数据集 {dataset} 有多个子集：{listed}。",
        )
    raise ConfigProblem(
        "choose_hub_config",
        message,
        Text("Choose one of them.", "请选择其中一个。"),
        dataset=dataset,
        configs=configs,
    )


def default_splits(chosen: dict[str, str], available: list[str]) -> dict[str, str]:
    """The data set's own name for train, validation and test: as chosen, else the usual name that it has and no other split uses.

    Its first split becomes the training split where none is called train.
    """
    chosen = {name: own for name, own in chosen.items() if own}
    assigned = set(chosen.values())
    splits = {}
    for name, usual in _SPLITS.items():
        own = chosen.get(name) or next((u for u in usual if u in available and u not in assigned), None)
        if own:
            splits[name] = own
    if "train" not in splits and available:
        held_out = {*splits.values(), *_SPLITS["validation"], *_SPLITS["test"]}
        splits = {"train": next((own for own in available if own not in held_out), available[0]), **splits}
    return {name: own for name, own in splits.items() if own != NO_SPLIT}


def _read(stream: Any, source: Source, limits: Limits, report: Callable[[float], None]) -> Table:
    features = stream.features.to_dict() if stream.features is not None else {}
    media = [name for name, feature in features.items() if isinstance(feature, dict) and feature.get("_type") in _MEDIA]
    if media:
        stream = stream.remove_columns(media)
    classes = {name: names for name, feature in features.items() if (names := class_names(feature))}
    columns: dict[str, list[Any]] = {}
    size = count = 0
    ended = True
    for count, record in enumerate(stream, start=1):
        if count > limits.max_rows or size > limits.max_unpacked_bytes:
            ended, count = False, count - 1
            break
        for name, value in record.items():
            cell = plain_cell(value)
            if name in classes:
                cell = with_class_names(cell, classes[name])
            size += len(cell) if isinstance(cell, str) else 8
            columns.setdefault(name, [None] * (count - 1)).append(cell)
        for cells in columns.values():
            if len(cells) < count:
                cells.append(None)
        if count % _REPORT_EVERY == 0:
            report(min(1.0, count / limits.max_rows))
    if not count:
        raise no_rows(source.name)
    notes = []
    if not ended:
        notes.append(
            Text(
                f"Only the first {count:,} rows were read, the most that are read here.",
                f"只读取了前 {count:,} 行，这是此处的读取上限。",
            )
        )
    if media:
        notes.append(
            Text(
                f"Columns that are no text were left out: {', '.join(media)}.",
                f"已略过非文本的列：{'、'.join(media)}。",
            )
        )
    return make_table(list(columns), list(columns.values()), list(range(1, count + 1)), source, limits, notes)


def _labels_withheld(stream: Any, table: Table) -> bool:
    """Whether a column of class labels holds none: contests publish -1 in their test sets."""
    features = stream.features.to_dict() if stream.features is not None else {}
    labelled = [name for name, feature in features.items() if class_names(feature) and name in table.columns]
    return any(table.frame[name].isna().all() for name in labelled)


def _no_split(dataset: str, split: str, available: list[str]) -> FileProblem:
    return FileProblem(
        "no_such_split",
        Text(
            f"The data set {dataset} has no split {split!r}. It has: {', '.join(available)}.",
            f"数据集 {dataset} 没有名为 {split!r} 的划分。可选：{'、'.join(available)}。",
        ),
        file=dataset,
        split=split,
        splits=available,
    )
